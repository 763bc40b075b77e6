import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Replicas whose runners do nothing by themselves: the test is at the other end of their sockets. They end runners
 * when they are told to, unless `DEAF` is set, and say each 50 ms that they have as much memory as a file says.
 */
const source = (memoryFile: string): string => `
import { readFileSync } from 'node:fs'
process.on('disconnect', () => process.exit(0))
process.on('message', ({ kind, runner }) => {
  if (kind === 'terminate' && !process.env.DEAF) process.send({ kind: 'ended', runner, refusal: null })
})
process.send({ kind: 'ready' })
setInterval(() => {
  const residentSetBytes = Number(readFileSync(${JSON.stringify(memoryFile)}, 'utf8'))
  process.send({ kind: 'health', health: { residentSetBytes, eventLoopLagMs: 0 } })
}, 50)
`

/** The entry of such replicas. */
export interface PassiveReplica {
  readonly entryPath: string
  /** Sets what all of them say of their memory from now on. */
  sayMemory(bytes: number): Promise<void>
}

/** Writes such an entry into a folder. */
export async function writePassiveReplica(directory: string): Promise<PassiveReplica> {
  const entryPath = join(directory, 'passive.ts')
  const memoryFile = join(directory, 'memory')
  const sayMemory = (bytes: number): Promise<void> => writeFile(memoryFile, String(bytes))
  await sayMemory(0)
  await writeFile(entryPath, source(memoryFile))
  return { entryPath, sayMemory }
}
