import { mkdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { createBuilder } from '../build/build.ts'
import type { Manifest } from '../build/manifest.ts'
import { readManifest } from '../build/output.ts'
import { openStaging } from '../model/staging.ts'

/** Where a gateway's functions come from: source files that are compiled, or a folder that was built before. */
export interface FunctionSource extends AsyncDisposable {
  /** The absolute path of the folder with the bundles. */
  readonly bundlesDirectory: string
  /** The files that the functions depend on, relative to the project. */
  readonly sources: ReadonlyMap<string, string | null>
  /** The manifest as it is now. `changed` names the files to look at; all of them where it is left out. */
  read(changed?: Iterable<string>): Promise<Manifest>
  /** Has a listener told when it is to be read again. @default it changes with the files alone */
  onChange?(listener: () => void): void
}

/** Where the sources lie. */
export interface SourceOptions {
  readonly projectDirectory: string
  readonly functionsDirectory: string
  readonly stateDirectory: string
  /** `dev` makes bundles for browsers readable, with source maps. */
  readonly mode: 'dev' | 'serve'
  /** A folder that `isoplex build` wrote; without it the functions are compiled. */
  readonly buildDirectory?: string
  /** All of the environment that functions see while they are imported. */
  readonly environment: Readonly<Record<string, string>>
}

/** How often a folder of bundles shows that its process lives to processes of other machines that share it. */
const touchIntervalMs = 3_600_000

/**
 * Opens the source of a project's functions.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the folder that was built before is not whole.
 */
export async function openFunctionSource({
  buildDirectory,
  ...options
}: SourceOptions): Promise<FunctionSource> {
  return buildDirectory === undefined ? compiledSource(options) : builtSource(buildDirectory)
}

/** Each process has its bundles to itself: others may serve another state of the files, and tidy up after it. */
async function compiledSource({ stateDirectory, mode, ...options }: SourceOptions): Promise<FunctionSource> {
  const buildMode = mode === 'dev' ? 'development' : 'production'
  const staging = await openStaging(join(stateDirectory, 'builds'))
  const directory = await staging.make(async (path) => void (await mkdir(path)))
  const builder = createBuilder({
    ...options,
    mode: buildMode,
    stateDirectory: directory,
    keepDirectory: join(stateDirectory, 'kept-build', buildMode),
  })
  const touch = setInterval(() => {
    const now = new Date()
    utimes(directory, now, now).catch(() => undefined)
  }, touchIntervalMs)
  touch.unref()
  return {
    bundlesDirectory: builder.bundlesDirectory,
    get sources() {
      return builder.sources
    },
    read: (changed) => builder.build(changed),
    async [Symbol.asyncDispose]() {
      clearInterval(touch)
      await builder[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function builtSource(directory: string): Promise<FunctionSource> {
  const { manifest, bundlesDirectory } = await readManifest(directory)
  return {
    bundlesDirectory,
    sources: new Map(),
    read: () => Promise.resolve(manifest),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
