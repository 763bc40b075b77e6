import { readControlPointers } from '../config/control-pointer.ts'
import { isControlled } from './ask.ts'

/** The control socket of the server that runs on a state directory; `null` where none does. */
export async function findControlSocket(stateDirectory: string): Promise<string | null> {
  for (const { socketPath } of await readControlPointers(stateDirectory)) {
    if (await isControlled(socketPath)) return socketPath
  }
  return null
}
