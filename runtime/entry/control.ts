import { join } from 'node:path'
import { removeControlPointer, writeControlPointer } from '../config/control-pointer.ts'
import { type ControlServer, type ControlServerOptions, openControlServer } from '../server/control-server.ts'

/** What a server is controlled by from its own machine. */
export interface ControlOptions extends Omit<ControlServerOptions, 'socketPath'> {
  readonly stateDirectory: string
  /** A folder that only its user can enter, with a short path; as `makeRunDirectory` makes it. */
  readonly runDirectory: string
}

/** Listens on the control socket, and tells in the state directory where it is, until it is disposed of. */
export async function openControl(options: ControlOptions): Promise<ControlServer> {
  const { stateDirectory, runDirectory, routes, log } = options
  const server = openControlServer({ socketPath: join(runDirectory, 'control.sock'), routes, log })
  const { socketPath } = server
  const { pid } = process
  try {
    await writeControlPointer(stateDirectory, { socketPath, pid, startedAt: Date.now() })
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return Object.freeze({
    socketPath,
    async [Symbol.asyncDispose]() {
      await removeControlPointer(stateDirectory, pid)
      await server[Symbol.asyncDispose]()
    },
  })
}
