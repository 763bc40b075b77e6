import { findControlSocket } from '../control/control-socket.ts'
import { IsoplexError } from '../error/error.ts'
import { openProject } from './project.ts'

/**
 * Finds the control socket of the server that runs on the state directory of the current project.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where none does.
 */
export async function findServer(flags: Readonly<Record<string, unknown>>): Promise<string> {
  const { stateDirectory } = await openProject(flags)
  const socketPath = await findControlSocket(stateDirectory)
  if (socketPath !== null) return socketPath
  const message = `No server runs on the state directory ${stateDirectory}; start one with "isoplex serve".`
  throw new IsoplexError('CONFIG_INVALID', message)
}
