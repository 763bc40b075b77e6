import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashFile, hashText } from './content-hash.ts'
import { isWithin } from './file-census.ts'

/** What an import of a package found. */
export interface PackageFacts {
  /** The hash of the file that it found and of what its package says of itself, so of its version too. */
  readonly hash: string
  /** When either was last changed, in milliseconds since 1970. */
  readonly changedAtMs: number
}

/** Built-in modules by which a function may read what is no source of it, while it is imported. */
const inputModules =
  /^(?:bun|bun:(?:ffi|sqlite|sql)|(?:node:)?(?:fs|fs\/promises|child_process|http|https|http2|net|dns|tls|dgram|sqlite|worker_threads))$/
const ownDirectory = fileURLToPath(new URL('../..', import.meta.url))

/** Finds out what imports name, as seen from one folder; each is looked at once. */
export class PackageCensus {
  readonly #directory: string
  readonly #known = new Map<string, Promise<PackageFacts | null>>()

  /** `directory` is where the bundles lie. */
  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * What an import names; `null` where that cannot be told, because it is not there, or because it may change without
   * a trace: a package that is linked from a folder of sources, or a module that reads anything.
   */
  find(specifier: string): Promise<PackageFacts | null> {
    let facts = this.#known.get(specifier)
    if (!facts) {
      facts = findPackage(specifier, this.#directory).catch(() => null)
      this.#known.set(specifier, facts)
    }
    return facts
  }
}

async function findPackage(specifier: string, directory: string): Promise<PackageFacts | null> {
  if (inputModules.test(specifier)) return null
  const found = Bun.resolveSync(specifier, directory)
  if (!isAbsolute(found)) return { hash: found, changedAtMs: 0 }
  const path = await realpath(found)
  const isInstalled = path.includes(`${sep}node_modules${sep}`)
  // What isoplex itself is made of is known otherwise.
  if (!isInstalled && isWithin(path, ownDirectory.replace(/[\\/]$/, '')))
    return { hash: 'isoplex', changedAtMs: 0 }
  const files = [path, await findPackageFile(path)]
  if (!isInstalled) return null
  const stats = await Promise.all(files.map((file) => stat(file)))
  const hashes = await Promise.all(files.map(hashFile))
  return {
    hash: hashText(JSON.stringify([files, hashes])),
    changedAtMs: Math.max(...stats.map(({ ctimeMs }) => ctimeMs)),
  }
}

/** The `package.json` of the package that a file belongs to. */
async function findPackageFile(path: string): Promise<string> {
  for (let folder = dirname(path); dirname(folder) !== folder; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (await Bun.file(file).exists()) return file
  }
  throw new Error(`${path} belongs to no package.`)
}
