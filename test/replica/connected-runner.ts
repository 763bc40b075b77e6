import { join } from 'node:path'
import { FrameConnection } from '../../runtime/replica/connection.ts'
import { encodeJson, frameKinds } from '../../runtime/replica/frame.ts'

/** The runner's end of a connection to a pool. */
export interface RunnerEnd {
  readonly connection: FrameConnection
  /** Writes what need not be a frame. */
  raw(bytes: string): void
  readonly closed: Promise<void>
}

/** Connects to the pool of a folder; as a certain runner, where one is given. */
export async function connectRunner(
  directory: string,
  runner: { readonly id: number; readonly nonce: string } | null = null,
): Promise<RunnerEnd> {
  const closed = Promise.withResolvers<void>()
  let connection: FrameConnection | null = null
  const socket = await Bun.connect({
    unix: join(directory, 'gateway.sock'),
    socket: { data: () => undefined, drain: () => connection?.drained(), close: () => closed.resolve() },
  })
  connection = new FrameConnection(socket)
  if (runner) {
    const { id, nonce } = runner
    connection.send(frameKinds.hello, 0, 0, [encodeJson({ runner: id, nonce })])
  }
  return { connection, raw: (bytes) => void socket.write(bytes), closed: closed.promise }
}
