import { join } from 'node:path'
import { createBuilder } from '../build/build.ts'
import type { Manifest } from '../build/manifest.ts'
import { bundlesFolder, readManifest } from '../build/output.ts'

/** Where a gateway's functions come from: source files that are compiled, or a folder that was built before. */
export interface FunctionSource extends AsyncDisposable {
  /** The absolute path of the folder with the bundles. */
  readonly bundlesDirectory: string
  /** The files that the functions depend on, relative to the project. */
  readonly sources: ReadonlyMap<string, string | null>
  /** The manifest as it is now. `changed` names the files to look at; all of them where it is left out. */
  read(changed?: Iterable<string>): Promise<Manifest>
}

/** Where the sources lie. */
export interface SourceOptions {
  readonly projectDirectory: string
  readonly functionsDirectory: string
  readonly stateDirectory: string
  /** A folder that `isoplex build` wrote; without it the functions are compiled. */
  readonly buildDirectory?: string
  /** All of the environment that functions see while they are imported. */
  readonly environment: Readonly<Record<string, string>>
}

/** Opens the source of a project's functions. */
export function openFunctionSource({ buildDirectory, ...options }: SourceOptions): FunctionSource {
  return buildDirectory === undefined ? compiledSource(options) : builtSource(buildDirectory)
}

function compiledSource(options: Omit<SourceOptions, 'buildDirectory'>): FunctionSource {
  const builder = createBuilder(options)
  return {
    bundlesDirectory: builder.bundlesDirectory,
    get sources() {
      return builder.sources
    },
    read: (changed) => builder.build(changed),
    [Symbol.asyncDispose]: () => builder[Symbol.asyncDispose](),
  }
}

function builtSource(directory: string): FunctionSource {
  return {
    bundlesDirectory: join(directory, bundlesFolder),
    sources: new Map(),
    read: async () => (await readManifest(directory)).manifest,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
