import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'bun'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ContentOffer } from '../../../runtime/replica/node/content-offer.ts'
import { ControlConnection } from '../../../runtime/replica/node/control-connection.ts'
import { until } from '../../support/server.ts'

type End = ControlConnection<unknown, unknown>

interface Pair extends Disposable {
  readonly near: End
  readonly far: End
  /** The far end's socket. */
  readonly farSocket: Socket<unknown>
}

let pair: Pair
let folder: string
let offer: ContentOffer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoplex-control-'))
  await writeFile(join(folder, 'a.txt'), 'abcdef')
  offer = new ContentOffer()
  pair = await connect(offer)
})
afterEach(async () => {
  pair[Symbol.dispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Two ends of a connection; the far one offers content. */
async function connect(offered: ContentOffer): Promise<Pair> {
  const accepted = Promise.withResolvers<[End, Socket<unknown>]>()
  const ends = new WeakMap<Socket<unknown>, End>()
  const handlers = (own: ContentOffer, opened: (end: End, socket: Socket<unknown>) => void) => ({
    open: (socket: Socket<unknown>) => {
      const end: End = new ControlConnection(socket, own)
      ends.set(socket, end)
      opened(end, socket)
    },
    data: (socket: Socket<unknown>, bytes: Uint8Array) => ends.get(socket)?.receive(bytes),
    drain: (socket: Socket<unknown>) => ends.get(socket)?.drained(),
    close: (socket: Socket<unknown>) => ends.get(socket)?.close('the socket closed'),
    error: (socket: Socket<unknown>) => ends.get(socket)?.close('it cannot be read'),
  })
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: handlers(offered, (end, socket) => accepted.resolve([end, socket])),
  })
  const near = Promise.withResolvers<End>()
  await Bun.connect({
    hostname: '127.0.0.1',
    port: listener.port,
    socket: handlers(new ContentOffer(), (end) => near.resolve(end)),
  })
  const [far, farSocket] = await accepted.promise
  return { near: await near.promise, far, farSocket, [Symbol.dispose]: () => listener.stop(true) }
}

/** Opens an end and collects what it hears. */
function listen(end: End): { readonly heard: unknown[]; readonly closed: () => string | null } {
  const heard: unknown[] = []
  let why: string | null = null
  end.open({
    received: (message) => void heard.push(message),
    closed: (reason) => {
      why = reason
    },
  })
  return { heard, closed: () => why }
}

describe('before it is open', () => {
  it('messages are heard one by one', async () => {
    pair.near.say({ n: 1 })
    pair.near.say({ n: 2 })
    expect([await pair.far.hear(), await pair.far.hear()]).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('whoever listens learns of its end', async () => {
    const hearing = pair.far.hear()
    pair.near.close('enough')
    await expect(hearing).rejects.toThrow('the socket closed')
    await expect(pair.far.hear()).rejects.toThrow('the socket closed')
  })

  it('much at once, or much in one message, closes it', async () => {
    for (let n = 0; n < 8; n += 1) pair.near.say({ n })
    await until(() => pair.far.closed)
    using other = await connect(offer)
    other.near.say({ text: 'x'.repeat(8_192) })
    await until(() => other.far.closed)
  })
})

describe('once it is open', () => {
  it('messages go both ways, in order, and what came before is not lost', async () => {
    pair.near.say({ early: true })
    await until(() => pair.near.localAddress === '127.0.0.1')
    const [near, far] = [listen(pair.near), listen(pair.far)]
    for (let n = 0; n < 100; n += 1) pair.near.send({ n })
    pair.far.send('back')
    await until(() => far.heard.length === 101 && near.heard.length === 1)
    expect(far.heard.slice(0, 3)).toEqual([{ early: true }, { n: 0 }, { n: 1 }])
  })

  it('content can be asked for, and what is not there is refused', async () => {
    const { digest } = await offer.offerFolder(folder)
    listen(pair.near)
    listen(pair.far)
    expect(await pair.near.listing(digest)).toMatchObject([{ path: 'a.txt', bytes: 6 }])
    expect(await pair.near.listing('ab'.repeat(32))).toBeNull()
    const asked = { ask: 'piece', digest, file: 0, offset: 1, bytes: 2 } as const
    expect(new TextDecoder().decode(await pair.near.piece(asked))).toBe('bc')
    await expect(pair.near.piece({ ...asked, offset: 6 })).rejects.toThrow('cannot give')
  })

  it('whoever waits for content learns of its end', async () => {
    listen(pair.near)
    pair.farSocket.pause()
    const asking = pair.near.listing('ab'.repeat(32))
    pair.near.close('the node is lost')
    await expect(asking).rejects.toThrow('the node is lost')
    await expect(pair.near.listing('ab'.repeat(32))).rejects.toThrow('the node is lost')
  })

  it('its end is told once', async () => {
    const near = listen(pair.near)
    pair.far.close('enough')
    await until(() => near.closed() !== null)
    pair.near.close('again')
    expect(near.closed()).toBe('the socket closed')
  })

  it('who is opened after its end is told at once', async () => {
    pair.near.close('gone before')
    expect(listen(pair.near).closed()).toBe('gone before')
  })

  it('an end that says nothing any more is lost in time, though its socket is open', async () => {
    // The far end reads nothing, and as it is not open it does not beat.
    pair.farSocket.pause()
    const near = listen(pair.near)
    await until(() => near.closed() !== null)
    expect(near.closed()).toBe('it gives no sign of life')
  })

  it('two ends that have nothing to say stay', async () => {
    const [near, far] = [listen(pair.near), listen(pair.far)]
    // Longer than a silence may last.
    await Bun.sleep(6_000)
    expect([near.closed(), far.closed()]).toEqual([null, null])
  })
})
