import { describe, expect, it } from 'vitest'
import { createRealm } from '../../adapters/onnx-web/realm.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

const forever = (): Promise<never> => new Promise(() => undefined)
const lost = { code: 'DEVICE_LOST', message: 'Nothing can be computed here any more. The device fell out.' }

/** What calling into wasm throws where its code cannot go on. */
function trap(): Error {
  const unreachable = Uint8Array.of(
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    4,
    1,
    96,
    0,
    0,
    3,
    2,
    1,
    0,
    7,
    5,
    1,
    1,
    102,
    0,
    0,
    10,
    5,
    1,
    3,
    0,
    0,
    11,
  )
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(unreachable)).exports
  try {
    ;(f as () => void)()
  } catch (error) {
    return error as Error
  }
  throw new Error('wasm went on')
}

describe('a realm', () => {
  it('does one piece of work at a time', async () => {
    const { exclusive } = createRealm()
    let inside = 0
    const work = async (): Promise<number> => {
      inside++
      await Promise.resolve()
      return inside--
    }
    expect(await Promise.all([exclusive(work), exclusive(work), exclusive(work)])).toEqual([1, 1, 1])
  })

  it('hands on what work throws, and goes on', async () => {
    const { exclusive } = createRealm()
    await expect(exclusive(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
    expect(await exclusive(async () => 'next')).toBe('next')
  })

  it('rejects at its loss what runs, what waits and what comes later', async () => {
    const realm = createRealm()
    const [running, waiting] = [realm.exclusive(forever), realm.exclusive(async () => 'done')]
    realm.lose('The device fell out.')
    await expect(running).rejects.toMatchObject(lost)
    await expect(waiting).rejects.toMatchObject(lost)
    await expect(realm.exclusive(async () => 'late')).rejects.toMatchObject(lost)
  })

  it('says its loss once to each listener, late ones too', () => {
    const realm = createRealm()
    const said: string[] = []
    realm.onLost(({ message }) => said.push(`early: ${message}`))
    realm.lose('First.')
    expect(realm.lose('Second.')).toMatchObject({
      code: 'DEVICE_LOST',
      message: expect.stringContaining('First.'),
    })
    realm.onLost(({ message }) => said.push(`late: ${message}`))
    expect(said).toEqual(
      ['early', 'late'].map((when) => `${when}: Nothing can be computed here any more. First.`),
    )
  })

  it('takes another error for its loss', async () => {
    const realm = createRealm()
    const error = new IsoplexError('FETCH_FAILED', 'It cannot be had.', { details: { reason: 'connection' } })
    expect(realm.lose('No files.', error)).toBe(error)
    await expect(realm.exclusive(async () => 1)).rejects.toBe(error)
  })

  it('is lost by a trap', async () => {
    const realm = createRealm()
    const reasons: string[] = []
    realm.onLost(({ message }) => reasons.push(message))
    await expect(realm.exclusive(() => Promise.reject(trap()))).rejects.toMatchObject({ code: 'DEVICE_LOST' })
    await expect(realm.exclusive(async () => 1)).rejects.toMatchObject({ code: 'DEVICE_LOST' })
    expect(reasons).toEqual([expect.stringMatching(/ONNX Runtime broke off: .*nreachable/)])
  })
})
