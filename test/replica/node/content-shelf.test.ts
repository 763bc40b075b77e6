import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ContentListing, digestOf } from '../../../runtime/replica/node/content-listing.ts'
import { ContentOffer } from '../../../runtime/replica/node/content-offer.ts'
import { type ContentPeer, ContentShelf } from '../../../runtime/replica/node/content-shelf.ts'
import { maxPieceBytes } from '../../../runtime/replica/node/message.ts'
import { until } from '../../support/server.ts'

let home: string
let shelf: ContentShelf
let offer: ContentOffer
/** Pieces that have been asked for. */
let asked: number
let made = 0

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'isoplex-shelf-'))
  shelf = await ContentShelf.open(join(home, 'shelf'), 4 * maxPieceBytes)
  offer = new ContentOffer()
  asked = 0
})
afterEach(async () => {
  await shelf.close()
  await rm(home, { recursive: true, force: true })
})

const peer: ContentPeer = {
  async listing(digest) {
    const answer = await offer.answer({ ask: 'listing', digest })
    return 'listing' in answer ? answer.listing : null
  },
  async piece(question) {
    asked += 1
    const answer = await offer.answer(question)
    if (!(answer instanceof Uint8Array)) throw new TypeError('no piece')
    return answer
  },
}

async function offered(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  made += 1
  const folder = join(home, `offered-${made}`)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return (await offer.offerFolder(folder)).digest
}

/** The folders of content that are on the disk. */
async function present(): Promise<string[]> {
  const names = await readdir(join(home, 'shelf'), { recursive: true })
  return names.map((name) => name.split('/').at(-1) ?? '').filter((name) => /^[0-9a-f]{64}$/.test(name))
}

describe('content', () => {
  it('comes whole, in folders as it was, in as many pieces as it takes', async () => {
    const large = randomBytes(2 * maxPieceBytes + 17)
    const digest = await offered({ 'model.onnx': large, 'deep/er/empty.txt': '', 'deep/words.txt': 'abc' })
    using lease = await shelf.obtain(digest, peer)
    expect((await readFile(join(lease.path, 'model.onnx'))).equals(large)).toBe(true)
    expect(await readFile(join(lease.path, 'deep/words.txt'), 'utf8')).toBe('abc')
    expect(await readFile(join(lease.path, 'deep/er/empty.txt'), 'utf8')).toBe('')
    expect(asked).toBe(4)
  })

  it('is fetched once, however many ask', async () => {
    const digest = await offered({ a: 'a' })
    const leases = await Promise.all(Array.from({ length: 8 }, () => shelf.obtain(digest, peer)))
    await shelf.obtain(digest, peer)
    expect([new Set(leases.map(({ path }) => path)).size, asked]).toEqual([1, 1])
  })

  it('goes when there is too much, unused longest first, and never while it is held', async () => {
    const digests = []
    for (const name of ['one', 'two', 'three'])
      digests.push(await offered({ [name]: randomBytes(1.5 * maxPieceBytes) }))
    const [one = '', two = '', three = ''] = digests
    const held = await shelf.obtain(one, peer)
    ;(await shelf.obtain(two, peer))[Symbol.dispose]()
    ;(await shelf.obtain(three, peer))[Symbol.dispose]()
    await until(async () => (await present()).length === 2)
    expect((await present()).toSorted()).toEqual([one, three].toSorted())
    held[Symbol.dispose]()
    held[Symbol.dispose]()
    await shelf.obtain(two, peer)
    expect(await readFile(join((await shelf.obtain(two, peer)).path, 'two'))).toHaveLength(
      1.5 * maxPieceBytes,
    )
  })

  it('is gone with its process', async () => {
    await shelf.obtain(await offered({ a: 'a' }), peer)
    await shelf.close()
    expect(await present()).toEqual([])
  })
})

describe('what is refused', () => {
  async function expectRefusal(digest: string, from: ContentPeer, why: RegExp): Promise<void> {
    await expect(shelf.obtain(digest, from)).rejects.toThrow(why)
    expect(await present()).toEqual([])
    // Nothing half-made stays either.
    const [own = ''] = await readdir(join(home, 'shelf'))
    expect(await readdir(join(home, 'shelf', own))).toEqual([])
  }

  function lying(listing: ContentListing): ContentPeer {
    return { ...peer, listing: () => Promise.resolve(listing) }
  }

  it('is a digest that is none', async () => {
    await expectRefusal('../../etc', peer, /no digest/)
  })

  it('is content that the other end has not', async () => {
    await expectRefusal('ab'.repeat(32), peer, /not to be had/)
  })

  it('is a name that climbs out', async () => {
    const listing = [{ path: '../../up', bytes: 1, sha256: 'ab'.repeat(32) }]
    await expectRefusal(digestOf(listing), lying(listing), /climbs out/)
  })

  it('is a listing of other content', async () => {
    await expectRefusal(await offered({ a: 'a' }), lying([]), /not that of content/)
  })

  it('is a file with other bytes than listed', async () => {
    const digest = await offered({ a: 'abc' })
    await expectRefusal(
      digest,
      { ...peer, piece: async () => new TextEncoder().encode('abd') },
      /other bytes/,
    )
  })

  it('is more than fits', async () => {
    const listing = [{ path: 'a', bytes: 5 * maxPieceBytes, sha256: 'ab'.repeat(32) }]
    await expectRefusal(digestOf(listing), lying(listing), /are the limit/)
    expect(asked).toBe(0)
  })

  it('can be had from another afterwards', async () => {
    const digest = await offered({ a: 'abc' })
    const broken = { ...peer, piece: () => Promise.reject(new Error('gone')) }
    const outcomes = await Promise.allSettled([shelf.obtain(digest, broken), shelf.obtain(digest, peer)])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })
})
