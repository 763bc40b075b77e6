import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createProcessMark, isLeftBehind } from '../../model/process-mark.ts'

/**
 * Makes a folder for the scratch files of this process's jobs in one that several processes share; those of processes
 * that have died are removed. It is its owner's alone.
 *
 * @returns its absolute path.
 */
export async function makeWorkFolder(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (await isLeftBehind(path, name)) await rm(path, { recursive: true, force: true })
  }
  const own = join(directory, createProcessMark())
  await mkdir(own, { mode: 0o700 })
  return own
}
