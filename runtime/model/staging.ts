import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder } from './durable-file.ts'
import { createProcessMark, isLeftBehind } from './process-mark.ts'
import { hasCode } from './storage-error.ts'

/** A folder aside, where files and folders are made before they are moved to where they belong, whole. */
export interface Staging {
  /** Makes something at a new path, which it gives. If that fails, nothing of it is left. */
  make(work: (path: string) => Promise<void>): Promise<string>
  /**
   * Moves what was made to where it belongs, so that a power failure does not undo it. A file replaces one that is
   * there; a folder that is there stays.
   */
  adopt(made: string, path: string): Promise<void>
  /** Moves as {@link Staging.adopt} does, without waiting for the disk: what can be had again may be lost again. */
  place(made: string, path: string): Promise<void>
  /** Moves something aside, to a path that it gives; `null` where there is nothing. Nobody sees half of it. */
  setAside(path: string): Promise<string | null>
  /** Removes something that others may be looking at, so that nobody sees half of it. It need not be there. */
  remove(path: string): Promise<void>
  /** Writes a small file in one piece. After a power failure it may be as it was before, or empty. */
  writeSmall(path: string, text: string): Promise<void>
}

/**
 * Opens a staging folder and sweeps out what dead processes left. The name of a path says who works there:
 * process, its start, and machine. What belongs to a living process stays; what belongs to another machine
 * that shares the folder goes once it has not been touched for a day.
 */
export async function openStaging(directory: string): Promise<Staging> {
  await mkdir(directory, { recursive: true })
  await sweepLeftBehind(directory)
  const newPath = (): string => join(directory, createProcessMark())
  const setAside = (path: string): Promise<string | null> => moveAside(newPath(), path)
  return Object.freeze({
    make: (work: (path: string) => Promise<void>) => make(newPath(), work),
    adopt,
    place,
    setAside,
    async remove(path: string) {
      const aside = await setAside(path)
      if (aside !== null) await rm(aside, { recursive: true, force: true })
    },
    async writeSmall(path: string, text: string) {
      await rename(await make(newPath(), (place) => writeFile(place, text, { flag: 'wx' })), path)
    },
  })
}

/** Removes from a folder, whose names are marks of processes, what dead processes left there. */
export async function sweepLeftBehind(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (await isLeftBehind(path, name)) await rm(path, { recursive: true, force: true })
  }
}

async function make(path: string, work: (path: string) => Promise<void>): Promise<string> {
  try {
    await work(path)
    return path
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    throw error
  }
}

async function adopt(made: string, path: string): Promise<void> {
  await place(made, path)
  await syncFolder(dirname(path))
}

async function place(made: string, path: string): Promise<void> {
  try {
    await rename(made, path)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

async function moveAside(aside: string, path: string): Promise<string | null> {
  try {
    await rename(path, aside)
    return aside
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
