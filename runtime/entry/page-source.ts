import { join } from 'node:path'
import type { BuildMode } from '../build/bundle.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import { compressFiles, openAssets } from '../build/page/asset-process.ts'
import { type AssetSet, type AssetSetName, assetOf } from '../build/page/asset-set.ts'
import { compressedPaths, compressionTasks, pruneCompressed } from '../build/page/compression.ts'
import { hashOfFileName } from '../build/page/file-name.ts'
import type { Config } from '../config/config.ts'
import { isIsoplexError } from '../error/error.ts'
import type { Logger } from '../observe/log.ts'
import type { PageFile, PageFiles, PlaygroundFiles } from '../server/page/page-files.ts'
import { formatIndex, pageIndexOf } from '../server/page/page-index.ts'
import { browserFolder, readStaticPage, type StaticPage } from '../server/page/static-page.ts'
import type { FunctionSource } from './function-source.ts'

/** What the files for pages are served from. */
export interface PageSourceOptions {
  /** `dev` serves pages whatever the functions are, and compresses nothing: it is asked from this machine. */
  readonly mode: 'dev' | 'serve'
  readonly stateDirectory: string
  /** All of the environment of the processes that build and compress. */
  readonly environment: Readonly<Record<string, string>>
  /** Whether the playground is there. */
  readonly playground: boolean
  /** What `isoplex build` wrote for pages; without it isoplex's own files are built when somebody asks for them. */
  readonly built: StaticPage | null
  readonly log: Logger
}

/** Where a gateway's functions come from, and how it serves them. */
export interface PageSettings extends Pick<PageSourceOptions, 'mode' | 'stateDirectory' | 'log'> {
  readonly config: Pick<Config, 'playground'>
  /** A folder that `isoplex build` wrote. */
  readonly buildDirectory?: string
}

/**
 * Opens what a gateway serves to pages: what was built before, where its functions were, else what is built when
 * somebody asks.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where what was built before is not whole.
 */
export async function openPageSource(
  settings: PageSettings,
  functions: Pick<FunctionSource, 'read'>,
  environment: Readonly<Record<string, string>>,
): Promise<PageSource> {
  const { mode, stateDirectory, buildDirectory, log } = settings
  const playground = hasPlayground(settings)
  const built =
    buildDirectory === undefined
      ? null
      : await readStaticPage(join(buildDirectory, browserFolder), (await functions.read()).functions)
  return new PageSource({ mode, stateDirectory, environment, playground, built, log })
}

/** Whether there is a page to try functions in. */
export function hasPlayground({ config, mode }: Pick<PageSettings, 'config' | 'mode'>): boolean {
  return mode === 'dev' || config.playground
}

/** The folder for pages in a project's own. */
export function pageDirectoryOf(stateDirectory: string): string {
  return join(stateDirectory, 'page')
}

/** The folder of compressed files in the folder for pages. */
export function compressedDirectoryOf(pageDirectory: string): string {
  return join(pageDirectory, 'compressed')
}

/**
 * The files that a gateway serves to pages. Those of isoplex itself are built by a process of its own when somebody
 * first asks for them, once for all servers of the project; who asks meanwhile waits. In `serve` they are then
 * compressed in the background, and sent as they are until that is done.
 */
export class PageSource implements PageFiles, AsyncDisposable {
  readonly #options: PageSourceOptions
  readonly #pageDirectory: string
  readonly #ended = new AbortController()
  readonly #sets = new Map<AssetSetName, Promise<AssetSet>>()
  #functions: readonly FunctionManifest[] = []
  /** The functions' bundles by name: those of now and those of the manifest before. */
  #bundles: ReadonlyMap<string, string> = new Map()
  #lastBundles: ReadonlyMap<string, string> = new Map()
  #compressing: Promise<void> = Promise.resolve()

  constructor(options: PageSourceOptions) {
    this.#options = options
    this.#pageDirectory = pageDirectoryOf(options.stateDirectory)
  }

  /** Serves these functions from now on. Pages that are about to load those of before still find them. */
  follow(functions: readonly FunctionManifest[], bundlesDirectory: string): void {
    this.#functions = functions
    this.#lastBundles = this.#bundles
    const bundles = functions.flatMap(({ browser }) => browser?.bundle ?? [])
    this.#bundles = new Map(bundles.map((name) => [name, join(bundlesDirectory, name)]))
  }

  async index(): Promise<string | null> {
    if (this.#options.built) return this.#options.built.text
    return this.#isServed ? formatIndex(pageIndexOf(this.#functions, await this.#open('page'))) : null
  }

  async client(): Promise<PageFile | null> {
    if (this.#options.built) return this.find(this.#options.built.index.client)
    return this.#isServed ? this.find(assetOf(await this.#open('page'), 'client')) : null
  }

  async find(name: string): Promise<PageFile | null> {
    if (hashOfFileName(name) === null) return null
    const { built, playground } = this.#options
    if (built?.index.files.includes(name)) return fileIn(built.directory, name, built.directory)
    const bundle = built ? undefined : (this.#bundles.get(name) ?? this.#lastBundles.get(name))
    if (bundle !== undefined) return this.#fileAt(name, bundle)
    const sets: AssetSetName[] = [
      ...(this.#isServed ? (['page'] as const) : []),
      ...(playground ? (['playground'] as const) : []),
    ]
    for (const set of sets) {
      const { files, directory } = await this.#open(set)
      if (files.includes(name)) return this.#fileAt(name, join(directory, name))
    }
    return null
  }

  async playground(): Promise<PlaygroundFiles | null> {
    if (!this.#options.playground) return null
    const assets = await this.#open('playground')
    return { script: assetOf(assets, 'script'), styles: assets.names.styles ?? null }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    await Promise.allSettled([...this.#sets.values(), this.#compressing])
  }

  /** Whether pages find anything here that was not built before. */
  get #isServed(): boolean {
    const { mode, playground, built } = this.#options
    return built === null && (mode === 'dev' || playground || this.#bundles.size > 0)
  }

  #open(set: AssetSetName): Promise<AssetSet> {
    const known = this.#sets.get(set)
    if (known) return known
    const { mode, environment } = this.#options
    const buildMode: BuildMode = mode === 'dev' ? 'development' : 'production'
    const order = { set, mode: buildMode, pageDirectory: this.#pageDirectory }
    const assets = openAssets(order, { environment, signal: this.#ended.signal })
    this.#sets.set(set, assets)
    assets.then(
      (opened) => this.#compress(set, opened),
      // Whoever asks next tries again.
      () => this.#sets.delete(set),
    )
    return assets
  }

  /** Compresses files in the background, one set after the other. */
  #compress(set: AssetSetName, { directory, files }: AssetSet): void {
    if (this.#options.mode === 'dev') return
    const own = files.map((name) => ({ name, path: join(directory, name) }))
    const bundles = [...this.#bundles].map(([name, path]) => ({ name, path }))
    const all = set === 'page' ? [...bundles, ...own] : own
    this.#compressing = this.#compressing.then(() => this.#compressAll(all))
  }

  async #compressAll(files: readonly { readonly name: string; readonly path: string }[]): Promise<void> {
    const { environment, log } = this.#options
    const { signal } = this.#ended
    try {
      const directory = compressedDirectoryOf(this.#pageDirectory)
      const tasks = await compressionTasks(files, directory)
      if (signal.aborted) return
      await compressFiles({ tasks, environment, signal, turnsFile: `${directory}.turns` })
      await pruneCompressed(directory)
    } catch (error) {
      if (isIsoplexError(error) && error.code === 'CANCELLED') return
      log.warn('The files for pages could not be compressed; they are sent as they are', { error })
    }
  }

  #fileAt(name: string, path: string): PageFile {
    return { name, path, compressed: compressedPaths(compressedDirectoryOf(this.#pageDirectory), name) }
  }
}

function fileIn(directory: string, name: string, compressedDirectory: string): PageFile {
  return { name, path: join(directory, name), compressed: compressedPaths(compressedDirectory, name) }
}
