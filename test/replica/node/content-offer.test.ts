import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../../runtime/replica/node/content-listing.ts'
import { ContentOffer } from '../../../runtime/replica/node/content-offer.ts'

let folder: string
let offer: ContentOffer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoplex-offer-'))
  await writeFile(join(folder, 'a.txt'), 'abcdef')
  await writeFile(join(folder, 'b.txt'), 'ghi')
  offer = new ContentOffer()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('what is offered', () => {
  it('is named by what is in it, and listed for whoever asks', async () => {
    const { digest, listing } = await offer.offerFolder(folder)
    expect(digest).toBe(digestOf(listing))
    expect(await offer.answer({ ask: 'listing', digest })).toEqual({ listing })
  })

  it('is read in pieces', async () => {
    const { digest } = await offer.offerFolder(folder)
    const piece = await offer.answer({ ask: 'piece', digest, file: 0, offset: 2, bytes: 3 })
    expect(new TextDecoder().decode(piece as Uint8Array)).toBe('cde')
  })

  it('may be one file, or some', async () => {
    const { listing, folder: place } = await offer.offerFile(join(folder, 'b.txt'))
    expect([listing.map(({ path }) => path), place]).toEqual([['b.txt'], folder])
    expect((await offer.offerFiles(folder, ['a.txt'])).listing.map(({ path }) => path)).toEqual(['a.txt'])
  })

  it('is looked at once', async () => {
    expect(await offer.offerFolder(folder)).toBe(await offer.offerFolder(folder))
  })

  it('can be offered later where it is not there yet', async () => {
    const path = join(folder, 'late.txt')
    await expect(offer.offerFile(path)).rejects.toThrow('ENOENT')
    await writeFile(path, 'now')
    expect((await offer.offerFile(path)).listing).toMatchObject([{ bytes: 3 }])
  })
})

describe('nothing else', () => {
  it('is listed', async () => {
    expect(await offer.answer({ ask: 'listing', digest: 'ab'.repeat(32) })).toEqual({ listing: null })
    expect(await offer.answer({ ask: 'listing', digest: '../../etc' })).toEqual({ listing: null })
  })

  it.each([
    { file: 2, offset: 0, bytes: 1 },
    { file: -1, offset: 0, bytes: 1 },
    { file: 0, offset: -1, bytes: 1 },
    { file: 0, offset: 5, bytes: 2 },
    { file: 0, offset: 0, bytes: 0 },
    { file: 0, offset: 0, bytes: 2 ** 31 },
  ])('is read: %j', async (asked) => {
    const { digest } = await offer.offerFolder(folder)
    await expect(offer.answer({ ask: 'piece', digest, ...asked })).rejects.toThrow('no such piece')
  })

  it('is read of a file that has become shorter', async () => {
    const { digest } = await offer.offerFolder(folder)
    await writeFile(join(folder, 'a.txt'), 'a')
    await expect(offer.answer({ ask: 'piece', digest, file: 0, offset: 0, bytes: 6 })).rejects.toThrow(
      'shorter',
    )
  })
})
