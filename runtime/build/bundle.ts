import { join, resolve } from 'node:path'
import { bundleEntryOf, functionFilesOf, isFileInput } from './bundle-entry.ts'
import { bundleNameOf } from './bundle-folder.ts'
import { type BundleFailure, failureOfAssets, failureOfLogs, type SourceImport } from './bundle-mistake.ts'
import { hashFile, hashText } from './content-hash.ts'
import { type Mistake, toProjectPath } from './mistake.ts'
import { ownImports } from './own-imports.ts'
import { appendSourceMap } from './source-map.ts'

/** Where a build reads and writes; absolute paths without links. */
export interface BuildDirectories {
  readonly projectDirectory: string
  readonly functionsDirectory: string
  readonly bundlesDirectory: string
}

/** For whom browser bundles are made: `development` leaves them readable and gives them source maps. */
export type BuildMode = 'development' | 'production'

/** Whether a text names a way to build for browsers. */
export function isBuildMode(text: string | undefined): text is BuildMode {
  return text === 'development' || text === 'production'
}

/** A function file, relative to the functions folder and to the project. */
export interface FunctionFile {
  readonly functionFile: string
  readonly file: string
}

/**
 * The hashes of the files that a bundle was made of, or was to be made of, by their paths relative to the
 * project; `null` where there was no such file, or it could not be told what of it went in.
 */
export type SourceHashes = Readonly<Record<string, string | null>>

/** One function's code in one piece. */
export interface Bundle {
  readonly name: string
  readonly code: string
  readonly sources: SourceHashes
  /** What stayed an import: of a package, or of something that Bun brings. */
  readonly imports: readonly SourceImport[]
}

/** What comes of bundling: a bundle, or what is wrong. */
export type BundleOutcome =
  | { readonly bundle: Bundle }
  | { readonly mistake: Mistake; readonly sources: SourceHashes }

/**
 * Bundles a function file with the helpers that it imports; packages stay imports. `known` are its sources as
 * far as an earlier bundle tells. The project must be the current directory.
 *
 * The hashes of the sources are never newer than what went into the bundle, so that a file that changes
 * meanwhile is seen as changed by the next build: each was taken before the bundling, which is done again
 * where it met a file not known before.
 */
export async function bundleFunction(
  functionFile: FunctionFile,
  known: readonly string[],
  directories: BuildDirectories,
): Promise<BundleOutcome> {
  const { projectDirectory } = directories
  const expected = await hashSources([functionFile.file, ...known], projectDirectory)
  const first = await bundleOnce(functionFile, directories)
  if ('mistake' in first) return withSuspects(first, expected, projectDirectory)
  if (first.inputs.every((input) => input in expected)) return toOutcome(first, expected)
  const found = await hashSources(first.inputs, projectDirectory)
  const second = await bundleOnce(functionFile, directories)
  return 'mistake' in second ? withSuspects(second, found, projectDirectory) : toOutcome(second, found)
}

interface BundleParts extends Omit<Bundle, 'sources'> {
  readonly inputs: readonly string[]
}

function toOutcome({ inputs, ...parts }: BundleParts, hashes: SourceHashes): BundleOutcome {
  const sources = Object.fromEntries(inputs.toSorted().map((input) => [input, hashes[input] ?? null]))
  return { bundle: { ...parts, sources } }
}

/** What is wrong with a bundling, with the hashes of all that may mend it. */
export async function withSuspects(
  { mistake, suspects }: BundleFailure,
  hashes: SourceHashes,
  projectDirectory: string,
): Promise<{ readonly mistake: Mistake; readonly sources: SourceHashes }> {
  return { mistake, sources: { ...hashes, ...(await hashSources(suspects, projectDirectory)) } }
}

/** Bundles a file; once more where it imports other function files, which are then exported beside it. */
async function bundleOnce(
  functionFile: FunctionFile,
  directories: BuildDirectories,
): Promise<BundleParts | BundleFailure> {
  const alone = await bundleWith(functionFile, [], directories)
  if ('mistake' in alone) return alone
  const others = functionFilesOf(alone.inputs, functionFile, directories)
  return others.length === 0 ? alone : bundleWith(functionFile, others, directories)
}

async function bundleWith(
  entry: FunctionFile,
  others: readonly FunctionFile[],
  { projectDirectory, bundlesDirectory }: BuildDirectories,
): Promise<BundleParts | BundleFailure> {
  const { file, functionFile } = entry
  const { entrypoint, plugins } = bundleEntryOf(entry, others, projectDirectory)
  const { success, logs, outputs, metafile } = await Bun.build({
    entrypoints: [entrypoint],
    root: projectDirectory,
    target: 'bun',
    format: 'esm',
    packages: 'external',
    sourcemap: 'external',
    metafile: true,
    throw: false,
    // Otherwise it becomes what it is now, whereas the bundle runs in production too.
    define: { 'process.env.NODE_ENV': 'process.env.NODE_ENV' },
    plugins: [...plugins, ownImports],
  })
  const [code, map, ...assets] = outputs.toSorted((left, right) => rankOf(left) - rankOf(right))
  if (!success || !metafile || !code || !map) return failureOfLogs(logs, file, projectDirectory)
  if (assets.length > 0) return failureOfAssets(metafile, file)
  const mapped = appendSourceMap(await code.text(), await map.text(), (source) =>
    toProjectPath(bundlesDirectory, resolve(projectDirectory, source)),
  )
  const imports = Object.entries(metafile.inputs).flatMap(([importer, { imports }]) =>
    imports.filter(({ external }) => external).map(({ path }) => ({ file: importer, specifier: path })),
  )
  return {
    name: bundleNameOf(functionFile, hashText(mapped)),
    code: mapped,
    inputs: Object.keys(metafile.inputs).filter(isFileInput),
    imports,
  }
}

/** The order in which a build's outputs are looked at: the bundle, its source map, and what should not be there. */
export function rankOf({ kind }: Bun.BuildArtifact): number {
  return ['entry-point', 'sourcemap'].indexOf(kind) >>> 0
}

/** The hashes of files, named relative to the project, as they are now. */
export async function hashSources(files: readonly string[], projectDirectory: string): Promise<SourceHashes> {
  const entries = files.map(async (file) => [file, await hashFile(join(projectDirectory, file))] as const)
  return Object.fromEntries(await Promise.all(entries))
}
