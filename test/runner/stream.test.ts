import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat } from '../../runtime/replica/frame.ts'
import { pumpStream, StreamCredit, streamWindowBytes } from '../../runtime/runner/stream.ts'

/** Whether a promise is still open once everything that could settle it by itself has run. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  let open = true
  const close = (): void => {
    open = false
  }
  promise.then(close, close)
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return open
}

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

describe('StreamCredit', () => {
  it('starts with one window', async () => {
    const credit = new StreamCredit()
    expect(await credit.take(streamWindowBytes + 1)).toBe(streamWindowBytes)
    expect(await isOpen(credit.take(1))).toBe(true)
  })

  it('gives no more than is wanted', async () => {
    const credit = new StreamCredit()
    expect(await credit.take(10)).toBe(10)
    expect(await credit.take(streamWindowBytes)).toBe(streamWindowBytes - 10)
  })

  it('lets whoever waits go on with what comes back', async () => {
    const credit = new StreamCredit()
    await credit.take(streamWindowBytes)
    const waiting = credit.take(100)
    credit.add(30)
    expect(await waiting).toBe(30)
  })

  it('opens no more than a window, whatever the receiver says', async () => {
    const credit = new StreamCredit()
    credit.add(2 ** 32 - 1)
    expect(await credit.take(2 * streamWindowBytes)).toBe(streamWindowBytes)
    expect(await isOpen(credit.take(1))).toBe(true)
  })

  it('gives nothing more once it is closed, not even what is left', async () => {
    const credit = new StreamCredit()
    credit.close()
    expect(await credit.take(1)).toBe(0)
  })

  it('ends the wait of whoever waits when it is closed', async () => {
    const credit = new StreamCredit()
    await credit.take(streamWindowBytes)
    const waiting = credit.take(1)
    credit.close()
    expect(await waiting).toBe(0)
  })
})

describe('pumpStream', () => {
  it('sends chunks as they are while there is credit', async () => {
    const chunks = [Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)]
    const sent: Uint8Array[] = []
    expect(await pumpStream(chunksOf(...chunks), new StreamCredit(), (piece) => sent.push(piece))).toBe(true)
    expect(sent).toEqual([Uint8Array.of(1), Uint8Array.of(2, 3)])
  })

  it('is never ahead of the credit, and loses nothing, however both are cut', async () => {
    const sizes = fc.array(fc.nat({ max: 3 * streamWindowBytes }), { maxLength: 5 })
    const grants = fc.infiniteStream(fc.integer({ min: 1, max: streamWindowBytes }))
    await fc.assert(
      fc.asyncProperty(sizes, grants, async (sizes, grants) => {
        const chunks = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
        const credit = new StreamCredit()
        const sent: Uint8Array[] = []
        let allowed = streamWindowBytes
        let total = 0
        const pumped = pumpStream(chunksOf(...chunks), credit, (piece) => {
          total += piece.length
          expect(total).toBeLessThanOrEqual(allowed)
          sent.push(piece)
        })
        while (await isOpen(pumped)) {
          const grant = grants.next().value
          allowed += grant
          credit.add(grant)
        }
        expect(await pumped).toBe(true)
        expect(concat(sent).toHex()).toBe(concat(chunks).toHex())
      }),
      { numRuns: 20 },
    )
  })

  it('stops the source when the receiver has gone, and says that not all was taken', async () => {
    const credit = new StreamCredit()
    let made = 0
    let ended = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          made += 1
          yield new Uint8Array(streamWindowBytes)
        }
      } finally {
        ended = true
      }
    }
    const pumped = pumpStream(endless(), credit, () => undefined)
    expect(await isOpen(pumped)).toBe(true)
    credit.close()
    expect(await pumped).toBe(false)
    expect(ended).toBe(true)
    expect(made).toBe(2)
  })

  it('passes on what the source throws, after what it gave', async () => {
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1)
      throw new RangeError('broken')
    }
    const sent: Uint8Array[] = []
    const pumped = pumpStream(breaking(), new StreamCredit(), (piece) => sent.push(piece))
    await expect(pumped).rejects.toThrow('broken')
    expect(sent).toEqual([Uint8Array.of(1)])
  })
})
