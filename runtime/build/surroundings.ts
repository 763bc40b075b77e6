import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hashText } from './content-hash.ts'

/** Files that decide in each folder how what lies in and below it is compiled and found; all but the first may point elsewhere. */
const settings = ['package.json', 'tsconfig.json', 'jsconfig.json']

/**
 * What lies beside the sources of bundles and might go into them in a source's place: an import names no extension,
 * or a folder, so that a new file may stand before the one that was found; and settings of folders. Looks at each
 * folder once.
 */
export class Surroundings {
  readonly #projectDirectory: string
  readonly #names = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>()
  readonly #settings = new Map<string, Promise<string | null>>()
  readonly #touched = new Map<string, Promise<number>>()

  constructor(projectDirectory: string) {
    this.#projectDirectory = projectDirectory
  }

  /**
   * The hash of what lies around some files, named relative to the project; `null` where settings send the search for
   * imports anywhere.
   */
  async hash(files: readonly string[]): Promise<string | null> {
    const folders = new Set(files.flatMap((file) => this.#foldersOf(file)))
    const rules = await Promise.all([...folders].map((folder) => this.#settingsIn(folder)))
    if (rules.includes(null)) return null
    const lookalikes = await Promise.all(files.toSorted().map((file) => this.#lookalikesOf(file)))
    return hashText(JSON.stringify([rules.toSorted(), lookalikes]))
  }

  /** When something was last made, renamed or removed in the folders of some files, in milliseconds since 1970. */
  async touchedAtMs(files: readonly string[]): Promise<number> {
    const folders = new Set(files.flatMap((file) => this.#foldersOf(file)))
    return Math.max(...(await Promise.all([...folders].map((folder) => this.#touchedAt(folder)))))
  }

  async #lookalikesOf(file: string): Promise<readonly (readonly string[])[]> {
    const path = join(this.#projectDirectory, file)
    const folder = dirname(path)
    const lookalikes = [this.#lookalikes(folder, basename(path))]
    if (stemOf(basename(path)) === 'index')
      lookalikes.push(this.#lookalikes(dirname(folder), basename(folder)))
    return await Promise.all(lookalikes)
  }

  async #lookalikes(folder: string, name: string): Promise<readonly string[]> {
    let names = this.#names.get(folder)
    if (!names) {
      names = readNames(folder)
      this.#names.set(folder, names)
    }
    return (await names).get(stemOf(name)) ?? []
  }

  #settingsIn(folder: string): Promise<string | null> {
    let hash = this.#settings.get(folder)
    if (!hash) {
      hash = readSettings(folder)
      this.#settings.set(folder, hash)
    }
    return hash
  }

  #touchedAt(folder: string): Promise<number> {
    let touched = this.#touched.get(folder)
    if (!touched) {
      touched = stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => Number.POSITIVE_INFINITY,
      )
      this.#touched.set(folder, touched)
    }
    return touched
  }

  /** The folders from a file's own up to the project's, or up to the root for a file elsewhere. */
  #foldersOf(file: string): readonly string[] {
    const folders: string[] = []
    let folder = dirname(join(this.#projectDirectory, file))
    for (;;) {
      folders.push(folder)
      const above = dirname(folder)
      if (folder === this.#projectDirectory || above === folder) return folders
      folder = above
    }
  }
}

async function readSettings(folder: string): Promise<string | null> {
  const texts = await Promise.all(
    settings.map((name) => readFile(join(folder, name), 'utf8').catch(() => null)),
  )
  const redirects = texts.slice(1).some((text) => text !== null && /"(?:extends|paths|baseUrl)"/.test(text))
  return redirects ? null : hashText(JSON.stringify([folder, texts]))
}

/** The entries of a folder by the first part of their names, sorted. */
async function readNames(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = await readdir(folder).catch(() => [])
  return Map.groupBy(names.toSorted(), stemOf)
}

function stemOf(name: string): string {
  return name.split('.')[0] ?? name
}
