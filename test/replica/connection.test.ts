import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeJson, encodeHead, encodeJson, type Frame, frameKinds } from '../../runtime/replica/frame.ts'
import { connectPair } from './socket-pair.ts'

/** Bytes that differ from place to place, so that a piece in the wrong place is seen. */
function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let index = 0; index < words.length; index += 1) words[index] = Math.imul(index + seed, 2_654_435_761)
  return new Uint8Array(words.buffer, 0, length)
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** Ends when the loop has turned often enough for everything that could happen by itself to have happened. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('a connection', () => {
  it('carries frames both ways, in order', async () => {
    await using pair = await connectPair()
    for (let id = 1; id <= 1_000; id += 1) {
      pair.near.connection.send(frameKinds.request, id, 0, encodeHead({ id }, Uint8Array.of(id)))
      pair.far.connection.send(frameKinds.reply, id, 0, [encodeJson({ id })])
    }
    await Promise.all([pair.near, pair.far].map((end) => end.until((frames) => frames.length === 1_000)))
    const ids = Array.from({ length: 1_000 }, (_, index) => index + 1)
    expect(pair.far.frames.map(({ id }) => id)).toEqual(ids)
    expect(pair.near.frames.map(({ payload }) => decodeJson<{ id: number }>(payload).id)).toEqual(ids)
  })

  it('carries bodies of all sizes whole, small beside large', async () => {
    await using pair = await connectPair()
    const sizes = [0, 1, 65_535, 65_536, 65_537, 3, 5_000_000, 0, 12, 1_000_000]
    const bodies = sizes.map((size, seed) => pattern(size, seed))
    for (const [id, body] of bodies.entries()) pair.near.connection.send(frameKinds.reply, id, 0, [body])
    await pair.far.until((frames) => frames.length === sizes.length)
    expect(pair.far.frames.map(({ payload }) => hashOf(payload))).toEqual(bodies.map(hashOf))
  })

  it('sends the frames of one turn in one write', async () => {
    await using pair = await connectPair()
    const writes: number[] = []
    const { socket } = pair.near
    const write = socket.write.bind(socket)
    socket.write = ((bytes: Uint8Array) => {
      writes.push(bytes.length)
      return write(bytes)
    }) as typeof socket.write
    for (let id = 0; id < 100; id += 1) pair.near.connection.send(frameKinds.reply, id, 0, [Uint8Array.of(1)])
    await pair.far.until((frames) => frames.length === 100)
    expect(writes).toEqual([100 * 17])
  })

  it('writes at once when it is told that no more will come, and then no more for that', async () => {
    await using pair = await connectPair()
    const { connection, socket } = pair.near
    const writes: number[] = []
    const write = socket.write.bind(socket)
    socket.write = ((bytes: Uint8Array) => {
      writes.push(bytes.length)
      return write(bytes)
    }) as typeof socket.write
    connection.flush()
    connection.send(frameKinds.reply, 1, 0, [Uint8Array.of(1)])
    connection.addWithHead(frameKinds.request, 2, 0, '{}', Uint8Array.of(2))
    expect(writes).toEqual([])
    connection.flush()
    expect(writes).toEqual([17 + 25])
    await pair.far.until((frames) => frames.length === 2)
    await turns(2)
    expect(writes).toEqual([17 + 25])
  })

  it('loses nothing and keeps the order of 50 MB while the other end reads nothing', async () => {
    await using pair = await connectPair()
    pair.far.socket.pause()
    const bodies = Array.from({ length: 50 }, (_, seed) =>
      pattern(seed % 2 === 0 ? 1_900_000 : 100_000, seed),
    )
    for (const [id, body] of bodies.entries()) {
      pair.near.connection.send(frameKinds.streamChunk, id, 0, [body])
      // Some leave in a turn of their own, while those before them wait for the other end.
      if (id % 5 === 0) await turns(1)
    }
    await turns(20)
    expect(pair.far.frames).toEqual([])
    pair.far.socket.resume()
    await pair.far.until((frames) => frames.length === bodies.length)
    expect(pair.far.frames.map(({ id }) => id)).toEqual(bodies.map((_, id) => id))
    expect(pair.far.frames.map(({ payload }) => hashOf(payload))).toEqual(bodies.map(hashOf))
  })

  it('carries one way on while the other way is held up', async () => {
    await using pair = await connectPair()
    pair.far.socket.pause()
    pair.near.connection.send(frameKinds.request, 1, 0, [pattern(5_000_000, 1)])
    await turns(5)
    pair.far.connection.send(frameKinds.reply, 2, 0, [])
    await pair.near.until((frames) => frames.length === 1)
    pair.far.socket.resume()
    await pair.far.until((frames) => frames.length === 1)
    expect(pair.far.frames[0]?.payload).toHaveLength(5_000_000)
  })

  it('leaves each frame its own memory: later ones do not write over it', async () => {
    await using pair = await connectPair()
    const bodies = Array.from({ length: 200 }, (_, seed) => pattern(40_000, seed))
    const kept: Frame[] = []
    for (const [id, body] of bodies.entries()) {
      pair.near.connection.send(frameKinds.reply, id, 0, [body])
      await pair.far.until((frames) => frames.length === id + 1)
      const frame = pair.far.frames[id]
      if (frame) kept.push(frame)
    }
    expect(kept.map(({ payload }) => hashOf(payload))).toEqual(bodies.map(hashOf))
  })
})

describe('the end of a connection', () => {
  it('comes after everything that was sent before it', async () => {
    await using pair = await connectPair()
    pair.near.connection.send(frameKinds.reply, 1, 0, [pattern(100, 1)])
    pair.near.connection.end()
    await pair.far.closed
    expect(pair.far.frames.map(({ payload }) => hashOf(payload))).toEqual([hashOf(pattern(100, 1))])
  })

  it('waits for the other end to take what is queued', async () => {
    await using pair = await connectPair()
    pair.far.socket.pause()
    const bodies = Array.from({ length: 10 }, (_, seed) => pattern(2_000_000, seed))
    for (const [id, body] of bodies.entries()) pair.near.connection.send(frameKinds.reply, id, 0, [body])
    await turns(5)
    pair.near.connection.end()
    await turns(5)
    pair.far.socket.resume()
    await pair.far.closed
    expect(pair.far.frames.map(({ payload }) => hashOf(payload))).toEqual(bodies.map(hashOf))
  })

  it('closes a connection over which nothing was sent', async () => {
    await using pair = await connectPair()
    pair.near.connection.end()
    await Promise.all([pair.far.closed, pair.near.closed])
    expect(pair.far.frames).toEqual([])
  })

  it('makes sending do nothing', async () => {
    await using pair = await connectPair()
    pair.far.socket.terminate()
    await pair.near.closed
    for (let id = 0; id < 3; id += 1)
      pair.near.connection.send(frameKinds.reply, id, 0, [pattern(100_000, id)])
    pair.near.connection.end()
    await turns(3)
    expect(pair.far.frames).toEqual([])
  })
})
