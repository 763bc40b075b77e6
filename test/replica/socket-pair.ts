import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'bun'
import { FrameConnection } from '../../runtime/replica/connection.ts'
import type { Frame } from '../../runtime/replica/frame.ts'

/** One end of a socket, with what has come in so far. */
export interface SocketEnd {
  readonly socket: Socket<unknown>
  readonly connection: FrameConnection
  readonly frames: Frame[]
  /** Resolves as soon as what came in satisfies the test. */
  until(test: (frames: readonly Frame[]) => boolean): Promise<void>
  /** Resolves when the socket has closed. */
  readonly closed: Promise<void>
}

/** Two ends of a unix socket that both carry frames. */
export interface SocketPair extends AsyncDisposable {
  readonly near: SocketEnd
  readonly far: SocketEnd
}

/** Connects two ends over a unix socket in a folder of its own, which goes with them. */
export async function connectPair(): Promise<SocketPair> {
  const directory = mkdtempSync(join(tmpdir(), 'isoplex-socket-'))
  const unix = join(directory, 'pair.sock')
  const accepted = Promise.withResolvers<SocketEnd>()
  const listening = createEnd((end) => accepted.resolve(end))
  const listener = Bun.listen({ unix, socket: listening })
  const connected = Promise.withResolvers<SocketEnd>()
  await Bun.connect({ unix, socket: createEnd((end) => connected.resolve(end)) })
  const [near, far] = await Promise.all([connected.promise, accepted.promise])
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.socket.terminate()
      far.socket.terminate()
      listener.stop(true)
      rmSync(directory, { recursive: true })
    },
  }
}

/** The handlers of one socket, as a gateway or a runner sets them up. */
function createEnd(opened: (end: SocketEnd) => void) {
  const frames: Frame[] = []
  const waiting = new Set<() => void>()
  const closed = Promise.withResolvers<void>()
  let connection: FrameConnection | null = null
  return {
    open(socket: Socket<unknown>) {
      connection = new FrameConnection(socket)
      opened({
        socket,
        connection,
        frames,
        closed: closed.promise,
        until: (test) =>
          new Promise((resolve) => {
            const look = (): void => {
              if (!test(frames)) return
              waiting.delete(look)
              resolve()
            }
            waiting.add(look)
            look()
          }),
      })
    },
    data(_: Socket<unknown>, bytes: Uint8Array) {
      frames.push(...(connection?.receive(bytes) ?? []))
      for (const look of waiting) look()
    },
    drain: () => connection?.drained(),
    close: () => closed.resolve(),
  }
}
