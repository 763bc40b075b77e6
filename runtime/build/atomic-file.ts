import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the names of files that are not yet whole end with. */
export const partialSuffix = '.partial'

/** Files that are half-written for longer, in milliseconds, are nobody's any more. */
export const longestWriteMs = 3_600_000

/**
 * Writes a text file as {@link writeWhole} does, where it does not hold the text already. What is left of a process that
 * died in the middle ends with {@link partialSuffix}.
 */
export async function writeIfChanged(path: string, text: string): Promise<void> {
  const present = await readFile(path, 'utf8').catch(() => null)
  if (present === text) return
  await writeWhole(path, text)
}

/** Writes a file whole or not at all, and makes its folder. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await place(path, (partial) => writeFile(partial, content))
}

/** Copies a file whole or not at all, and makes its folder. */
export async function copyWhole(source: string, path: string): Promise<void> {
  await place(path, (partial) => copyFile(source, partial))
}

/** Puts a file in its place once it is whole. */
export async function place(path: string, write: (partial: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}${partialSuffix}`
  try {
    await write(partial)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
