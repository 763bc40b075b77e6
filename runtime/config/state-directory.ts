import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes the project's folder for its own files. What is in it is never to be committed: the key is there. */
export async function makeStateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(join(directory, '.gitignore'), '*\n')
}
