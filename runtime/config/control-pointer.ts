import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the control socket of a server is, as its state directory tells. */
export interface ControlPointer {
  readonly socketPath: string
  readonly pid: number
  /** In milliseconds since 1970. */
  readonly startedAt: number
}

/** Says in a state directory where this process's control socket is, and sweeps what dead processes said. */
export async function writeControlPointer(stateDirectory: string, pointer: ControlPointer): Promise<void> {
  const folder = folderOf(stateDirectory)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await sweep(folder)
  const path = join(folder, `${pointer.pid}.json`)
  const partial = `${path}.partial`
  await writeFile(partial, JSON.stringify(pointer), { mode: 0o600 })
  await rename(partial, path)
}

/** Takes back what {@link writeControlPointer} said. */
export async function removeControlPointer(stateDirectory: string, pid: number): Promise<void> {
  await rm(join(folderOf(stateDirectory), `${pid}.json`), { force: true })
}

/** The servers of a state directory whose processes live, the one started last first. */
export async function readControlPointers(stateDirectory: string): Promise<readonly ControlPointer[]> {
  const folder = folderOf(stateDirectory)
  const names = await readdir(folder).catch(() => [])
  const pointers = await Promise.all(names.map((name) => readPointer(folder, name)))
  return pointers
    .filter((pointer) => pointer !== null)
    .filter(({ pid }) => isAlive(pid))
    .toSorted((a, b) => b.startedAt - a.startedAt)
}

function folderOf(stateDirectory: string): string {
  return join(stateDirectory, 'control')
}

/** What has gone meanwhile, or is no pointer, says nothing. */
async function readPointer(folder: string, name: string): Promise<ControlPointer | null> {
  if (!/^\d+\.json$/.test(name)) return null
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'))
    return isPointer(value) ? value : null
  } catch {
    return null
  }
}

function isPointer(value: unknown): value is ControlPointer {
  if (typeof value !== 'object' || value === null) return false
  const { socketPath, pid, startedAt } = value as Partial<Record<keyof ControlPointer, unknown>>
  return typeof socketPath === 'string' && typeof pid === 'number' && typeof startedAt === 'number'
}

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isAlive(Number.parseInt(name, 10))) await rm(join(folder, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive as well.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
