import { describe, expect, it } from 'vitest'
import { PieceStream } from '../../runtime/client/web-engine-stream.ts'

interface Watched {
  readonly stream: PieceStream
  readonly read: number[]
  readonly cancelled: () => boolean
}

function watched(): Watched {
  const read: number[] = []
  let cancelled = false
  const stream = new PieceStream({
    read: (bytes) => read.push(bytes),
    cancelled: () => {
      cancelled = true
    },
  })
  return { stream, read, cancelled: () => cancelled }
}

describe('a stream of pieces', () => {
  it('says of each piece that it was read once it was', async () => {
    const { stream, read } = watched()
    stream.push(new Uint8Array(3))
    stream.push(new Uint8Array(5))
    await Promise.resolve()
    expect(read).toEqual([])
    const reader = stream.readable.getReader()
    expect((await reader.read()).value).toHaveLength(3)
    expect(read).toEqual([3])
    const next = reader.read()
    expect((await next).value).toHaveLength(5)
    expect(read).toEqual([3, 5])
  })

  it('hands a piece to a reader that waits for it', async () => {
    const { stream } = watched()
    const reading = stream.readable.getReader().read()
    stream.push(Uint8Array.of(7))
    expect((await reading).value).toEqual(Uint8Array.of(7))
  })

  it('hands all of its pieces on before its end, be it good or bad', async () => {
    for (const error of [undefined, new Error('broken')]) {
      const { stream } = watched()
      stream.push(Uint8Array.of(1))
      stream.push(Uint8Array.of(2))
      stream.end(error)
      stream.end(new Error('again'))
      const reader = stream.readable.getReader()
      expect((await reader.read()).value).toEqual(Uint8Array.of(1))
      expect((await reader.read()).value).toEqual(Uint8Array.of(2))
      if (error) await expect(reader.read()).rejects.toBe(error)
      else expect((await reader.read()).done).toBe(true)
    }
  })

  it('says that nobody reads on, and takes no harm from what still comes', async () => {
    const { stream, read, cancelled } = watched()
    await stream.readable.cancel()
    expect(cancelled()).toBe(true)
    stream.push(Uint8Array.of(1))
    stream.end(new Error('late'))
    expect(read).toEqual([])
  })
})
