import { isDeepStrictEqual } from 'node:util'
import type { Attempt } from './build-process.ts'
import type { FunctionFile, SourceHashes } from './bundle.ts'
import { freezeData } from './frozen-data.ts'
import type { FunctionManifest } from './manifest.ts'
import type { Mistake } from './mistake.ts'

/** The hash of a project's file, taken in this round; `null` where there is no such file. */
export type CurrentHash = (file: string) => Promise<string | null>

/** What is known of one function file. */
export interface LedgerEntry extends FunctionFile {
  /** The files that decide over the outcome, with their hashes when they were read. */
  readonly sources: SourceHashes
  /** The latest manifest that was good, be it of these sources or of earlier ones. */
  readonly good: FunctionManifest | null
  /** What is wrong with these sources; `null` where `good` is made of them. */
  readonly mistake: Mistake | null
  /** The round whose outcome this is. */
  readonly round: number
  /** When the look at its sources began, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Whether a later round should try again even where no source has changed. */
  readonly again: boolean
}

/** What every function depends on without importing it: how packages and paths are found. */
const settings = ['package.json', 'tsconfig.json']

/** Remembers what came of each function file, and so knows which of them a change concerns. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>()
  #round = 0
  #sinceMs = 0
  #planned: ReadonlyMap<string, string | null> = new Map()

  /** All entries, in the order of their files' code units. */
  get entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()].sort((left, right) => (left.file < right.file ? -1 : 1))
  }

  /** Every file that some function depends on, with its hash when it was read. */
  get sources(): ReadonlyMap<string, string | null> {
    return new Map(this.entries.flatMap(({ sources }) => Object.entries(sources)))
  }

  /** The sources of a file as far as they are known. */
  sourcesOf(file: string): readonly string[] {
    return Object.keys(this.#entries.get(file)?.sources ?? {})
  }

  /** Takes in what came of files in another process. */
  recall(entries: readonly LedgerEntry[]): void {
    for (const entry of entries) this.#entries.set(entry.file, entry)
  }

  /** Forgets files that are gone, and tells which ones must be built in this round. */
  async plan(
    files: readonly FunctionFile[],
    round: number,
    currentHash: CurrentHash,
  ): Promise<readonly FunctionFile[]> {
    this.#sinceMs = Date.now()
    const names = new Set(files.map(({ file }) => file))
    for (const file of this.#entries.keys()) if (!names.has(file)) this.#entries.delete(file)
    // What is built after this may read newer content, never older: such a file is then seen as changed.
    const read = new Set([...settings, ...names, ...this.sources.keys()])
    this.#planned = new Map(
      await Promise.all([...read].map(async (file) => [file, await currentHash(file)] as const)),
    )
    this.#round = round
    return files.filter(({ file }) => this.#isConcerned(this.#entries.get(file)))
  }

  /** Notes what came of a file in this round. A manifest like the last one is that very object. */
  note(file: FunctionFile, attempt: Attempt): void {
    const last = this.#entries.get(file.file)
    const looked = attempt.sources === null ? Object.keys(last?.sources ?? {}) : []
    const planned = [file.file, ...settings, ...looked].map((name) => [name, this.#planned.get(name) ?? null])
    this.#entries.set(file.file, {
      ...file,
      ...judge(attempt, last?.good ?? null),
      sources: { ...Object.fromEntries(planned), ...attempt.sources },
      round: this.#round,
      sinceMs: this.#sinceMs,
      again: attempt.kind === 'broken' && attempt.again,
    })
  }

  #isConcerned(entry: LedgerEntry | undefined): boolean {
    if (!entry || (entry.again && entry.round < this.#round)) return true
    return Object.entries(entry.sources).some(([file, hash]) => this.#planned.get(file) !== hash)
  }
}

function judge(attempt: Attempt, last: FunctionManifest | null): Pick<LedgerEntry, 'good' | 'mistake'> {
  if (attempt.kind !== 'described') return { good: last, mistake: attempt.mistake }
  const { manifest } = attempt
  return { good: isDeepStrictEqual(last, manifest) ? last : freezeData(manifest), mistake: null }
}
