import { readdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { DirectoryWatches } from './directory-watch.ts'
import { FileCensus, isWithin, modelsFolder } from './file-census.ts'

/** What is watched, and who wants to know. */
export interface WatchOptions {
  /** Absolute, without links. */
  readonly projectDirectory: string
  /** Seen from the project, and inside it. @default 'functions' */
  readonly functionsDirectory?: string
  /** How long nothing must have happened before changes are told, in milliseconds. @default 50 */
  readonly quietMs?: number
  /** Is told the files that are new, gone or of other content than before, relative to the project. */
  onChange(files: readonly string[]): void
  /** Is told the models in the functions folder's `_models` to which something has happened, by name. */
  onModelChange(models: readonly string[]): void
  /** Is told of a folder that cannot be watched: what happens in it goes unnoticed. */
  onError(error: Error): void
}

/** Watches a project's functions and what they are made of. */
export interface FunctionWatcher extends Disposable {
  /**
   * Follows the sources of the functions wherever they lie in the project; outside the functions folder, no
   * others. A file whose content is not what its hash says is told as changed, so that nothing is lost that
   * happens between a build's reading and this call.
   */
  follow(sources: ReadonlyMap<string, string | null>): void
}

/** However often something happens, changes are told after so many quiet times. */
const longestWait = 10

/**
 * Watches the functions folder: all of its files except those in `_models` and `node_modules` and under names
 * that begin with a dot. A file that is touched, or written as it was, is not told. Folders may go and come
 * back, the functions folder too.
 */
export async function watchFunctions(options: WatchOptions): Promise<FunctionWatcher> {
  const watcher = new ProjectWatcher(options)
  await watcher.start()
  return watcher
}

class ProjectWatcher implements FunctionWatcher {
  readonly #options: WatchOptions
  readonly #functionsDirectory: string
  readonly #modelsDirectory: string
  readonly #census: FileCensus
  readonly #watches: DirectoryWatches
  readonly #quietMs: number
  #models: ReadonlySet<string> = new Set()
  #paths = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #waitingSinceMs: number | null = null
  #telling = false
  #disposed = false

  constructor(options: WatchOptions) {
    this.#options = options
    this.#quietMs = options.quietMs ?? 50
    this.#functionsDirectory = resolve(options.projectDirectory, options.functionsDirectory ?? 'functions')
    this.#modelsDirectory = join(this.#functionsDirectory, modelsFolder)
    this.#census = new FileCensus(options.projectDirectory, this.#functionsDirectory)
    this.#watches = new DirectoryWatches({
      onEvent: (path) => this.#notice(path),
      onError: (error) => options.onError(error),
    })
  }

  /** Begins to watch and then notes how things stand, so that what happens meanwhile is told. */
  async start(): Promise<void> {
    await this.#watches.watch(this.#census.directories)
    await this.#census.changesAt([this.#functionsDirectory])
    this.#models = await this.#listModels()
  }

  follow(sources: ReadonlyMap<string, string | null>): void {
    const changed = this.#census.follow(sources)
    for (const file of changed) this.#paths.add(join(this.#options.projectDirectory, file))
    this.#wait()
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    clearTimeout(this.#timer)
    this.#watches[Symbol.dispose]()
  }

  #notice(path: string): void {
    if (!isWithin(path, this.#modelsDirectory) && !this.#census.concerns(path)) return
    this.#paths.add(path)
    this.#wait()
  }

  /** Tells once nothing has happened for a while, or things have gone on happening for long. */
  #wait(): void {
    if (this.#disposed || this.#telling) return
    const now = performance.now()
    this.#waitingSinceMs ??= now
    const left = this.#waitingSinceMs + longestWait * this.#quietMs - now
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#tell(), Math.max(0, Math.min(this.#quietMs, left)))
  }

  async #tell(): Promise<void> {
    this.#telling = true
    this.#waitingSinceMs = null
    // Before anything is read: what happens after the reading is then an event of its own.
    const attached = await this.#watches.watch(this.#census.directories)
    const paths = [...this.#paths, ...attached]
    this.#paths.clear()
    const files = await this.#census.changesAt(paths)
    const models = await this.#modelsAt(paths)
    this.#telling = false
    if (this.#disposed) {
      // A folder may have been attached after the others were let go.
      this.#watches[Symbol.dispose]()
      return
    }
    if (this.#paths.size > 0) this.#wait()
    if (files.length > 0) this.#options.onChange(files)
    if (models.length > 0) this.#options.onModelChange(models)
  }

  /** The models to which something has happened: all that are and were there, where that was the whole folder. */
  async #modelsAt(paths: readonly string[]): Promise<readonly string[]> {
    const before = this.#models
    this.#models = await this.#listModels()
    if (paths.some((path) => isWithin(this.#modelsDirectory, path)))
      return [...before.union(this.#models)].sort()
    const inside = paths.filter((path) => isWithin(path, this.#modelsDirectory))
    const names = inside.map((path) => path.slice(this.#modelsDirectory.length + 1).split(sep)[0] ?? '')
    return [...new Set(names)].sort()
  }

  async #listModels(): Promise<ReadonlySet<string>> {
    return new Set(await readdir(this.#modelsDirectory).catch(() => []))
  }
}
