/** What this machine can compute on, as the engine of the server sees it. */
import { readMachineFacts } from '../../adapters/onnx-node/machine-facts.ts'
import type { MachineFacts } from '../engine/machine-facts.ts'

/** Reads the facts by which the server's engine chooses a provider. */
export function readServerMachine(): Promise<MachineFacts> {
  return readMachineFacts()
}
