import { join } from 'node:path'
import { readControlPointers } from '../../runtime/config/control-pointer.ts'
import type { ReplicaReport, ResidencyReport } from '../../runtime/replica/residency-report.ts'

/** What the server of a project says is loaded where, by its control socket. */
export async function readResidency(directory: string): Promise<ResidencyReport> {
  const [pointer] = await readControlPointers(join(directory, '.isoplex'))
  if (!pointer) throw new Error(`No server runs in ${directory}.`)
  const reply = await fetch('http://control/-/replicas', { unix: pointer.socketPath })
  if (!reply.ok) throw new Error(`The server does not tell of its replicas: ${await reply.text()}`)
  // The server is of the same sources.
  return (await reply.json()) as ResidencyReport
}

/** The replicas that serve, in the order of their numbers. */
export function servingReplicas({ replicas }: ResidencyReport): readonly ReplicaReport[] {
  return replicas
    .filter(({ state }) => state === 'serving')
    .toSorted((first, second) => first.replica - second.replica)
}
