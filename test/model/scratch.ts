import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder for one test; it is removed when it is disposed of. */
export interface Scratch extends AsyncDisposable {
  readonly directory: string
  /** The absolute path of a name in the folder. */
  path(...names: readonly string[]): string
  /** Writes a file with the folders above it, and gives its path. */
  write(name: string, content: string | Uint8Array): Promise<string>
  /** The names of all files and folders below a folder, sorted; folders end with a slash. */
  list(name?: string): Promise<readonly string[]>
}

/** Makes an empty folder. */
export async function createScratch(): Promise<Scratch> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'isoplex-model-')))
  const path = (...names: readonly string[]): string => join(directory, ...names)
  return {
    directory,
    path,
    async write(name, content) {
      await mkdir(dirname(path(name)), { recursive: true })
      await writeFile(path(name), content)
      return path(name)
    },
    async list(name = '.') {
      const entries = await readdir(path(name), { recursive: true, withFileTypes: true })
      return entries
        .map(
          (entry) =>
            join(entry.parentPath, entry.name).slice(path(name).length + 1) +
            (entry.isDirectory() ? '/' : ''),
        )
        .toSorted()
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Settles with the error that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
