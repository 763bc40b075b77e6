import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { AnswerStream } from '../../runtime/runner/answer-stream.ts'
import { streamWindowBytes } from '../../runtime/runner/stream.ts'

interface Watched {
  readonly stream: AnswerStream
  /** The credit given back so far, frame by frame. */
  readonly given: number[]
  cancels: number
}

function watch(): Watched {
  const given: number[] = []
  const watched: Watched = {
    stream: new AnswerStream(
      (bytes) => given.push(bytes),
      () => {
        watched.cancels += 1
      },
    ),
    given,
    cancels: 0,
  }
  return watched
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('AnswerStream', () => {
  it('hands pieces on in order, and ends', async () => {
    const { stream } = watch()
    stream.push(Uint8Array.of(1))
    stream.push(Uint8Array.of(2, 3))
    stream.end()
    expect(await new Response(stream.readable).bytes()).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('hands a piece to a reader that was there before it', async () => {
    const { stream } = watch()
    const reader = stream.readable.getReader()
    const first = reader.read()
    stream.push(Uint8Array.of(1))
    expect(await first).toEqual({ done: false, value: Uint8Array.of(1) })
    const last = reader.read()
    stream.end()
    expect((await last).done).toBe(true)
  })

  it('may end without a piece', async () => {
    const { stream } = watch()
    stream.end()
    expect(await new Response(stream.readable).bytes()).toHaveLength(0)
  })

  it('gives no credit for what nobody has read', async () => {
    const { stream, given } = watch()
    for (let sent = 0; sent < streamWindowBytes; sent += 1_024) stream.push(new Uint8Array(1_024))
    await turn()
    expect(given).toEqual([])
  })

  it('gives credit for what was read, never more, and not for each small piece', async () => {
    const { stream, given } = watch()
    const reader = stream.readable.getReader()
    let read = 0
    for (let count = 0; count < 1_000; count += 1) {
      stream.push(new Uint8Array(1_000))
      const { value } = await reader.read()
      read += value?.length ?? 0
      expect(sum(given)).toBeLessThanOrEqual(read)
      // A runner that got less back than this would be held although its client reads.
      expect(read - sum(given)).toBeLessThan(streamWindowBytes / 2)
    }
    expect(given.length).toBeLessThan(20)
  })

  it('tells once that the reader has gone, and takes no more', async () => {
    const watched = watch()
    watched.stream.push(new Uint8Array(10))
    await watched.stream.readable.cancel()
    watched.stream.push(new Uint8Array(10))
    watched.stream.end()
    watched.stream.end(new Error('too late'))
    await turn()
    expect(watched.cancels).toBe(1)
    expect(watched.given).toEqual([])
  })

  it('delivers what came before an error, and then the error', async () => {
    const { stream } = watch()
    stream.push(Uint8Array.of(1))
    stream.push(Uint8Array.of(2))
    stream.end(new Error('broken off'))
    const reader = stream.readable.getReader()
    expect((await reader.read()).value).toEqual(Uint8Array.of(1))
    await turn()
    expect((await reader.read()).value).toEqual(Uint8Array.of(2))
    await expect(reader.read()).rejects.toThrow('broken off')
  })

  it('breaks off in a later turn than its last piece, so that a server has sent the piece', async () => {
    const { stream } = watch()
    const reader = stream.readable.getReader()
    stream.push(Uint8Array.of(1))
    stream.end(new Error('broken off'))
    await reader.read()
    let broken = false
    const next = reader.read().catch(() => {
      broken = true
    })
    for (let count = 0; count < 10; count += 1) await Promise.resolve()
    expect(broken).toBe(false)
    await next
    expect(broken).toBe(true)
  })

  it('takes only the first of its ends', async () => {
    const { stream } = watch()
    stream.push(Uint8Array.of(1))
    stream.end()
    stream.end(new Error('too late'))
    expect(await new Response(stream.readable).bytes()).toEqual(Uint8Array.of(1))
  })
})

describe('over HTTP', () => {
  it('a client that does not read holds the sender back, and gets everything once it does', async () => {
    const total = 20_000_000
    let sent = 0
    let credit = streamWindowBytes
    const stream: AnswerStream = new AnswerStream(
      (bytes) => {
        credit += bytes
        feed()
      },
      () => undefined,
    )
    function feed(): void {
      while (credit > 0 && sent < total) {
        const piece = new Uint8Array(Math.min(16_384, credit, total - sent))
        credit -= piece.length
        sent += piece.length
        stream.push(piece)
      }
      if (sent === total) stream.end()
    }
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(stream.readable) })
    try {
      const socket = connect(server.port ?? 0, '127.0.0.1')
      socket.pause()
      socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
      feed()
      await settled(() => sent)
      expect(sent).toBeLessThan(total)
      let received = 0
      socket.on('data', (bytes) => {
        received += bytes.length
      })
      socket.resume()
      await new Promise((resolve) => socket.on('close', resolve))
      expect(sent).toBe(total)
      expect(received).toBeGreaterThanOrEqual(total)
    } finally {
      await server.stop(true)
    }
  })
})

/** Waits until a number has not risen for a while of turns. */
async function settled(read: () => number): Promise<void> {
  for (let last = -1, still = 0; still < 500; last = read()) {
    still = read() === last ? still + 1 : 0
    await turn()
  }
}
