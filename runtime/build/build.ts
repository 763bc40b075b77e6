import { realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { IsoplexError } from '../error/error.ts'
import { scanFunctions } from '../route/scan.ts'
import { assembleManifest } from './assemble.ts'
import { BuildProcess, type BuildProcessOptions } from './build-process.ts'
import type { BuildDirectories, BuildMode, FunctionFile } from './bundle.ts'
import { bundlesOf, pruneBundles } from './bundle-folder.ts'
import { hashFile } from './content-hash.ts'
import { KeptBuild } from './kept-build.ts'
import { Ledger } from './ledger.ts'
import type { Manifest } from './manifest.ts'
import { toProjectPath } from './mistake.ts'

/** Where a project lies and how its functions are built. */
export interface BuilderOptions {
  readonly projectDirectory: string
  /** Seen from the project. @default 'functions' */
  readonly functionsDirectory?: string
  /**
   * Seen from the project, and inside it, since bundles find packages from where they lie; used by one builder
   * at a time. @default '.isoplex'
   */
  readonly stateDirectory?: string
  /**
   * The folder, absolute, in which builds are kept from one process to the next, so that what has not changed is not
   * built again. Processes may share it. @default nothing is kept
   */
  readonly keepDirectory?: string
  /** All of the environment that functions see while they are imported: never a key or a password. */
  readonly environment: Readonly<Record<string, string>>
  /** How long the import of one function file may take, in milliseconds. @default 10 000 */
  readonly importTimeoutMs?: number
  /** How bundles for browsers are made. @default 'production' */
  readonly mode?: BuildMode
  /** The file descriptor that takes what functions print while they are imported. @default 2, the error output */
  readonly outputDescriptor?: number
  /** The file that the build process runs. @default the builder's entry */
  readonly entryPath?: string
}

/** Builds a project's functions, again and again. */
export interface Builder extends AsyncDisposable {
  /** The folder of the bundles, absolute. */
  readonly bundlesDirectory: string
  /** Every file that some function depends on, relative to the project, with the hash of what was read of it. */
  readonly sources: ReadonlyMap<string, string | null>
  /**
   * Builds what has changed. The manifest is that of the sources as they are at the call or later. Where nothing
   * differs it is the very object of the last build, and so is each function in it that has not changed. Calls
   * during a build join it: it takes up what they report before it ends.
   *
   * @param changed the files to look at, relative to the project; all of them where it is left out. Function
   * files that are new or gone are noticed in any case.
   * @throws {IsoplexError} `BUILD_FAILED` where the build process does not start, `CONFIG_INVALID` where the
   * functions folder cannot be read, `CANCELLED` where the builder is disposed of. What is wrong with a function
   * is no error: the manifest says it.
   */
  build(changed?: Iterable<string>): Promise<Manifest>
}

/** Makes a builder. Nothing is read or started before the first build. */
export function createBuilder(options: BuilderOptions): Builder {
  return new ProjectBuilder(options)
}

class ProjectBuilder implements Builder {
  readonly #process: BuildProcessOptions
  readonly #ledger = new Ledger()
  readonly #kept: KeptBuild | null
  readonly #hashes = new Map<string, Promise<string | null>>()
  #manifest: Manifest = Object.freeze({ functions: Object.freeze([]), broken: Object.freeze([]) })
  #ignoredLinks: readonly string[] = []
  #child: BuildProcess | null = null
  #running: Promise<Manifest> | null = null
  #keeping: Promise<void> = Promise.resolve()
  #round = 0
  #plannedRound = 0
  #disposed = false

  constructor(options: BuilderOptions) {
    const { functionsDirectory = 'functions', stateDirectory = '.isoplex' } = options
    const projectDirectory = realpathSync(options.projectDirectory)
    this.#process = {
      directories: {
        projectDirectory,
        functionsDirectory: resolve(projectDirectory, functionsDirectory),
        bundlesDirectory: resolve(projectDirectory, stateDirectory, 'bundles'),
      },
      environment: options.environment,
      entryPath: options.entryPath ?? fileURLToPath(new URL('../entry/builder.ts', import.meta.url)),
      importTimeoutMs: options.importTimeoutMs ?? 10_000,
      mode: options.mode ?? 'production',
      outputDescriptor: options.outputDescriptor ?? 2,
    }
    const { keepDirectory: directory, environment } = options
    const { directories, mode } = this.#process
    this.#kept = directory === undefined ? null : new KeptBuild({ directory, directories, environment, mode })
  }

  get bundlesDirectory(): string {
    return this.#directories.bundlesDirectory
  }

  get sources(): ReadonlyMap<string, string | null> {
    return this.#ledger.sources
  }

  build(changed?: Iterable<string>): Promise<Manifest> {
    this.#round += 1
    if (changed === undefined) this.#hashes.clear()
    else for (const file of changed) this.#hashes.delete(file)
    this.#running ??= this.#run()
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.#child?.end()
    await this.#running?.catch(() => undefined)
    await this.#keeping
  }

  get #directories(): BuildDirectories {
    return this.#process.directories
  }

  async #run(): Promise<Manifest> {
    try {
      this.#assertAlive()
      if (this.#plannedRound === 0 && this.#kept)
        this.#ledger.recall(await this.#kept.recall((file) => this.#hash(file)))
      while (this.#plannedRound < this.#round) {
        await this.#buildConcerned()
        await this.#publish()
        this.#keep()
      }
      return this.#manifest
    } finally {
      // In the same turn as the last look at the round, so that no call can join a build that has ended.
      this.#running = null
    }
  }

  async #buildConcerned(): Promise<void> {
    try {
      for (const file of await this.#plan()) {
        // A process that did not survive the file may have been hurt by one before: once more in a new process.
        if (!(await this.#attempt(file))) await this.#attempt(file)
      }
    } finally {
      await this.#child?.end()
      this.#child = null
    }
  }

  async #plan(): Promise<readonly FunctionFile[]> {
    const round = this.#round
    this.#plannedRound = round
    const { projectDirectory, functionsDirectory } = this.#directories
    const toFile = (name: string) => toProjectPath(projectDirectory, join(functionsDirectory, name))
    const { files, ignoredLinks } = await scanFunctions(functionsDirectory)
    this.#ignoredLinks = ignoredLinks.map(toFile)
    const functionFiles = files.map((functionFile) => ({ functionFile, file: toFile(functionFile) }))
    return this.#ledger.plan(functionFiles, round, (file) => this.#hash(file))
  }

  /** Builds a file; `false` where its process ended and the file need not be to blame. */
  async #attempt(file: FunctionFile): Promise<boolean> {
    this.#assertAlive()
    const child = this.#child ?? new BuildProcess(this.#process)
    this.#child = child
    const order = { ...file, known: this.#ledger.sourcesOf(file.file) }
    const attempt = await child.attempt(order).finally(() => this.#assertAlive())
    if (attempt.kind === 'ended') {
      this.#child = null
      if (child.orders > 1) return false
    }
    this.#ledger.note(file, attempt)
    return true
  }

  async #publish(): Promise<void> {
    const last = this.#manifest
    const next = assembleManifest(this.#ledger.entries, this.#ignoredLinks)
    if (isDeepStrictEqual(last, next)) return
    this.#manifest = next
    // What the last manifest names may still be drained; the loser of a route conflict may be served again.
    const good = this.#ledger.entries.flatMap((entry) => entry.good ?? [])
    const named = [...last.functions, ...good].flatMap(bundlesOf)
    await pruneBundles(this.#directories.bundlesDirectory, new Set(named))
  }

  /** In the background: where it fails, the next process has more to build. */
  #keep(): void {
    const { entries } = this.#ledger
    this.#keeping = this.#keeping.then(() => this.#kept?.keep(entries)).catch(() => undefined)
  }

  #hash(file: string): Promise<string | null> {
    const known = this.#hashes.get(file)
    if (known) return known
    const hash = hashFile(join(this.#directories.projectDirectory, file))
    this.#hashes.set(file, hash)
    return hash
  }

  #assertAlive(): void {
    if (this.#disposed)
      throw new IsoplexError('CANCELLED', 'The builder was disposed of before the build had ended.')
  }
}
