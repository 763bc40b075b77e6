import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the names of files that are not yet whole end with. */
export const partialSuffix = '.partial'

/**
 * Writes a text file whole or not at all, and makes its folder. A file that holds the text already stays
 * untouched. What is left of a process that died in the middle ends with {@link partialSuffix}.
 */
export async function writeIfChanged(path: string, text: string): Promise<void> {
  const present = await readFile(path, 'utf8').catch(() => null)
  if (present === text) return
  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}${partialSuffix}`
  try {
    await writeFile(partial, text)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
