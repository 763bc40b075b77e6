import { lstat, readdir, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { hashFile } from './content-hash.ts'
import type { WatchedDirectory } from './directory-watch.ts'
import { toProjectPath } from './mistake.ts'

/** The folder within the functions folder that holds models, not code. */
export const modelsFolder = '_models'

/**
 * Knows the content of the files that functions are or may be made of: those in the functions folder, and the
 * sources that are followed elsewhere in the project. Files are named relative to the project.
 */
export class FileCensus {
  readonly #projectDirectory: string
  readonly #functionsDirectory: string
  readonly #hashes = new Map<string, string>()
  #followed: ReadonlySet<string> = new Set()
  #directories: readonly WatchedDirectory[]

  constructor(projectDirectory: string, functionsDirectory: string) {
    this.#projectDirectory = projectDirectory
    this.#functionsDirectory = functionsDirectory
    this.#directories = this.#directoriesOf([])
  }

  /** The folders in which something may happen to the files, after those above, since folders come and go too. */
  get directories(): readonly WatchedDirectory[] {
    return this.#directories
  }

  /** Follows these sources and no others. Gives those whose hash is not the known one, which becomes known. */
  follow(sources: ReadonlyMap<string, string | null>): readonly string[] {
    const inside = [...sources].filter(([file]) => !/(?:^|\/)(?:\.\.|node_modules)\//.test(file))
    const files = inside.map(([file]) => file)
    this.#followed = new Set(files)
    this.#directories = this.#directoriesOf(files)
    return inside.filter(([file, hash]) => this.#remember(file, hash)).map(([file]) => file)
  }

  /** Whether what happens at a path may change a file that counts. */
  concerns(path: string): boolean {
    const watched = this.#directories.some(({ directory }) => directory === path)
    return watched || this.#counts(toProjectPath(this.#projectDirectory, path))
  }

  /** Looks at paths and at all that is or was below them. Gives the files that are not as they were known. */
  async changesAt(paths: readonly string[]): Promise<readonly string[]> {
    const present = await Promise.all(paths.map((path) => this.#filesAt(path)))
    const known = [...this.#hashes.keys(), ...this.#followed].filter((file) => {
      return paths.some((path) => isWithin(join(this.#projectDirectory, file), path))
    })
    const files = new Set([...present.flat(), ...known].filter((file) => this.#counts(file)))
    const changes = await Promise.all(
      [...files].map(async (file) => {
        return this.#remember(file, await hashFile(join(this.#projectDirectory, file))) ? [file] : []
      }),
    )
    return changes.flat().sort()
  }

  /** Notes a file's hash, `null` where it has none; `false` where that was known. */
  #remember(file: string, hash: string | null): boolean {
    if (hash === (this.#hashes.get(file) ?? null)) return false
    if (hash === null) this.#hashes.delete(file)
    else this.#hashes.set(file, hash)
    return true
  }

  #counts(file: string): boolean {
    if (this.#followed.has(file)) return true
    const path = join(this.#projectDirectory, file)
    if (!isWithin(path, this.#functionsDirectory)) return false
    const segments = path.slice(this.#functionsDirectory.length + 1).split(sep)
    return segments[0] !== modelsFolder && !segments.some(isPassedOver)
  }

  /** The files at a path: itself, or what is below it. Links to folders are not followed. */
  async #filesAt(path: string): Promise<readonly string[]> {
    const file = toProjectPath(this.#projectDirectory, path)
    if (!this.#counts(file)) return []
    const facts = await lstat(path).catch(() => null)
    if (facts?.isDirectory()) {
      const names = await readdir(path).catch(() => [])
      return (await Promise.all(names.map((name) => this.#filesAt(join(path, name))))).flat()
    }
    const target = facts?.isSymbolicLink() ? await stat(path).catch(() => null) : facts
    return target?.isFile() ? [file] : []
  }

  #directoriesOf(files: readonly string[]): readonly WatchedDirectory[] {
    const above = new Set([this.#projectDirectory])
    for (const path of [
      this.#functionsDirectory,
      ...files.map((file) => join(this.#projectDirectory, file)),
    ]) {
      let directory = dirname(path)
      while (isWithin(directory, this.#projectDirectory)) {
        if (!isWithin(directory, this.#functionsDirectory)) above.add(directory)
        directory = dirname(directory)
      }
    }
    const flat = [...above].sort().map((directory) => ({ directory, recursive: false }))
    return [...flat, { directory: this.#functionsDirectory, recursive: true }]
  }
}

/** Whether a path is a folder or lies in it, at any depth. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory + sep)
}

/** Packages, and what editors and tools leave beside a file while they work on it. */
function isPassedOver(segment: string): boolean {
  return segment === 'node_modules' || segment.startsWith('.') || segment.endsWith('~')
}
