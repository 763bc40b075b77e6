import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeIfChanged } from './atomic-file.ts'
import { type BuildConditions, buildKeyOf } from './build-key.ts'
import { bundlesOf, hashOfBundleName, pruneBundles } from './bundle-folder.ts'
import { hashText } from './content-hash.ts'
import { freezeData } from './frozen-data.ts'
import type { CurrentHash, LedgerEntry } from './ledger.ts'
import type { FunctionManifest } from './manifest.ts'
import { PackageCensus } from './package-census.ts'
import { Surroundings } from './surroundings.ts'

/** What is kept where, and of what. */
export interface KeptBuildOptions extends BuildConditions {
  /** The folder, absolute; processes may share it. */
  readonly directory: string
}

/** A function file whose outcome is good. */
type GoodEntry = LedgerEntry & { readonly good: FunctionManifest }

/** What came of a function file, and all that this depends on. */
interface KeptFunction {
  readonly entry: GoodEntry
  /** What lies around its sources: see {@link Surroundings}. */
  readonly surroundings: string
  /** The packages that its bundle imports, with their hashes. */
  readonly packages: readonly (readonly [specifier: string, hash: string])[]
}

const fileName = 'index.json'
/** The clock by which file systems date changes may lag behind. */
const clockLagMs = 20

/**
 * Keeps builds from one process to the next: a function file of which nothing has changed that decides over its bundle
 * or its manifest need not be built. Every content is compared by its hash, bundles that are taken from here included,
 * so that nothing stale or damaged is: where there is any doubt, the file is not kept.
 *
 * What a package or a function's own code reads while it is imported counts as part of that package's version and that
 * code, and so does what goes of a package into a bundle for browsers; a function that imports modules for reading, or
 * names `Bun`, is never kept.
 */
export class KeptBuild {
  readonly #options: KeptBuildOptions
  #key: string | null = null
  #kept = new Map<string, KeptFunction>()

  constructor(options: KeptBuildOptions) {
    this.#options = options
  }

  /** Gives what is kept and holds good of the project as it is now, and puts the bundles in place. */
  async recall(currentHash: CurrentHash): Promise<readonly LedgerEntry[]> {
    const { directory, directories } = this.#options
    this.#key = await buildKeyOf(this.#options)
    const functions = parseIndex(await readFile(join(directory, fileName), 'utf8').catch(() => ''), this.#key)
    await mkdir(directories.bundlesDirectory, { recursive: true })
    const surroundings = new Surroundings(directories.projectDirectory)
    const packages = new PackageCensus(directories.bundlesDirectory)
    const isCurrent = async ({ entry, ...kept }: KeptFunction): Promise<boolean> =>
      (await holds(Object.entries(entry.sources), currentHash)) &&
      (await surroundings.hash(Object.keys(entry.sources))) === kept.surroundings &&
      (await holds(kept.packages, async (specifier) => (await packages.find(specifier))?.hash ?? null)) &&
      (await this.#restore(bundlesOf(entry.good)))
    const current = await Promise.all(functions.map(async (kept) => ((await isCurrent(kept)) ? [kept] : [])))
    this.#kept = new Map(current.flat().map((kept) => [kept.entry.file, kept]))
    return [...this.#kept.values()].map(({ entry }) => freezeData(entry))
  }

  /** Keeps what may be kept of a project's functions, and nothing else. To be called after {@link recall}. */
  async keep(entries: readonly LedgerEntry[]): Promise<void> {
    const { directory, directories } = this.#options
    if (entries.length === this.#kept.size && entries.every((entry) => this.#keeps(entry))) return
    const surroundings = new Surroundings(directories.projectDirectory)
    const packages = new PackageCensus(directories.bundlesDirectory)
    const next = new Map<string, KeptFunction>()
    for (const entry of entries) {
      const known = this.#keeps(entry) ? this.#kept.get(entry.file) : undefined
      const kept = known ?? (await this.#examine(entry, surroundings, packages))
      if (kept) next.set(entry.file, kept)
    }
    // What was installed meanwhile may have gone into some functions and not into others.
    if ((await buildKeyOf(this.#options)) !== this.#key) return
    const names = [...next.values()].flatMap(({ entry }) => bundlesOf(entry.good))
    const text = JSON.stringify({ key: this.#key, functions: [...next.values()] })
    await writeIfChanged(join(directory, fileName), `${hashText(text)}\n${text}`)
    await pruneBundles(join(directory, 'bundles'), new Set(names))
    this.#kept = next
  }

  #keeps(entry: LedgerEntry): boolean {
    return this.#kept.get(entry.file)?.entry === entry
  }

  /** Finds out all that a function depends on and copies its bundle; `null` where it cannot be kept. */
  async #examine(
    entry: LedgerEntry,
    surroundings: Surroundings,
    packages: PackageCensus,
  ): Promise<KeptFunction | null> {
    if (!isGood(entry)) return null
    const { good, sinceMs } = entry
    const { directory, directories } = this.#options
    const textOf = (bundle: string): Promise<string> =>
      readFile(join(directories.bundlesDirectory, bundle), 'utf8')
    const specifiers = importsOf(await textOf(good.bundle))
    if (!specifiers) return null
    const found: (readonly [string, string])[] = []
    for (const specifier of new Set(specifiers)) {
      const facts = await packages.find(specifier)
      if (!facts || facts.changedAtMs > sinceMs - clockLagMs) return null
      found.push([specifier, facts.hash])
    }
    const sources = Object.keys(entry.sources)
    const around = await surroundings.hash(sources)
    if (around === null || (await surroundings.touchedAtMs(sources)) > sinceMs - clockLagMs) return null
    for (const bundle of bundlesOf(good))
      await writeIfChanged(join(directory, 'bundles', bundle), await textOf(bundle))
    return { entry, surroundings: around, packages: found }
  }

  /** Puts bundles where this process has its own; `false` where one is not whole. */
  async #restore(bundles: readonly string[]): Promise<boolean> {
    const { directory, directories } = this.#options
    for (const bundle of bundles) {
      const code = await readFile(join(directory, 'bundles', bundle), 'utf8').catch(() => null)
      if (code === null || hashText(code) !== hashOfBundleName(bundle)) return false
      await writeFile(join(directories.bundlesDirectory, bundle), code)
    }
    return true
  }
}

function isGood(entry: LedgerEntry): entry is GoodEntry {
  return entry.good !== null && entry.mistake === null && !entry.again
}

/** What an index holds, if it is whole and made under the same conditions. */
function parseIndex(content: string, key: string): readonly KeptFunction[] {
  const end = content.indexOf('\n')
  const text = content.slice(end + 1)
  if (end < 0 || hashText(text) !== content.slice(0, end)) return []
  const index: { readonly key: string; readonly functions: readonly KeptFunction[] } = JSON.parse(text)
  return index.key === key ? index.functions : []
}

/** Whether each name still has the hash that is noted. */
async function holds(
  hashes: readonly (readonly [name: string, hash: string | null])[],
  currentHash: CurrentHash,
): Promise<boolean> {
  const current = await Promise.all(hashes.map(async ([name, hash]) => (await currentHash(name)) === hash))
  return current.every((each) => each)
}

/** What a bundle imports; `null` where its code may read what no import names. */
function importsOf(code: string): readonly string[] | null {
  const bare = code.slice(0, code.lastIndexOf('\n//# sourceMappingURL='))
  if (/\bBun\b/.test(bare)) return null
  return new Bun.Transpiler({ loader: 'js' }).scanImports(bare).map(({ path }) => path)
}
