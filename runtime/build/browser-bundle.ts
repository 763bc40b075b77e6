import { createBrowserGuard } from './browser-guard.ts'
import {
  type BuildDirectories,
  type BuildMode,
  type FunctionFile,
  hashSources,
  rankOf,
  type SourceHashes,
  withSuspects,
} from './bundle.ts'
import { bundleEntryOf, functionFilesOf } from './bundle-entry.ts'
import { browserBundleNameOf } from './bundle-folder.ts'
import {
  type BundleFailure,
  failureOfAssets,
  failureOfLogs,
  locateImport,
  type SourceImport,
} from './bundle-mistake.ts'
import { hashText } from './content-hash.ts'
import { findChain, type ImportGraph, ownFilesOf } from './import-graph.ts'
import { type Mistake, toMistake } from './mistake.ts'
import { schemaShaking } from './schema-shaking.ts'
import { appendSourceMap, withoutDebugId } from './source-map.ts'

/** One function's code for browsers, in one piece, with all that it imports. */
export interface BrowserBundle {
  readonly name: string
  readonly code: string
  /** The project's own files that went into it; packages count by what is installed. */
  readonly sources: SourceHashes
}

/** What comes of bundling for browsers: a bundle, or what is wrong. */
export type BrowserBundleOutcome =
  | { readonly bundle: BrowserBundle }
  | { readonly mistake: Mistake; readonly sources: SourceHashes }

/**
 * Bundles a function file for browsers, packages and isoplex included. `known` are the sources of its bundle for
 * servers, with their hashes from before that was made. The project must be the current directory.
 */
export async function bundleForBrowser(
  functionFile: FunctionFile,
  known: SourceHashes,
  directories: BuildDirectories,
  mode: BuildMode,
): Promise<BrowserBundleOutcome> {
  const { projectDirectory } = directories
  const bundle = (hashes: SourceHashes) =>
    bundleOnce(functionFile, new Set(Object.keys(hashes)), directories, mode)
  const first = await bundle(known)
  if ('mistake' in first) return withSuspects(first, known, projectDirectory)
  if (first.own.every((file) => file in known)) return toOutcome(first, known)
  // A file that only the browser takes: its hash must not be newer than what went in.
  const found = { ...known, ...(await hashSources(first.own, projectDirectory)) }
  const second = await bundle(found)
  return 'mistake' in second ? withSuspects(second, found, projectDirectory) : toOutcome(second, found)
}

interface BundleParts {
  readonly name: string
  readonly code: string
  readonly own: readonly string[]
}

function toOutcome({ own, ...parts }: BundleParts, hashes: SourceHashes): BrowserBundleOutcome {
  return {
    bundle: { ...parts, sources: Object.fromEntries(own.map((file) => [file, hashes[file] ?? null])) },
  }
}

/** Bundles a file; once more where it imports other function files, which are then exported beside it. */
async function bundleOnce(
  functionFile: FunctionFile,
  known: ReadonlySet<string>,
  directories: BuildDirectories,
  mode: BuildMode,
): Promise<BundleParts | BundleFailure> {
  const { projectDirectory } = directories
  const bundle = (others: readonly FunctionFile[]) =>
    bundleWith(functionFile, others, { known, projectDirectory, mode })
  const alone = await bundle([])
  if ('mistake' in alone) return alone
  const others = functionFilesOf(alone.own, functionFile, directories)
  return others.length === 0 ? alone : bundle(others)
}

interface BrowserBundling {
  /** Files that are known to be the project's own. */
  readonly known: ReadonlySet<string>
  readonly projectDirectory: string
  readonly mode: BuildMode
}

async function bundleWith(
  functionFile: FunctionFile,
  others: readonly FunctionFile[],
  { known, projectDirectory, mode }: BrowserBundling,
): Promise<BundleParts | BundleFailure> {
  const { file } = functionFile
  const { entrypoint, plugins } = bundleEntryOf(functionFile, others, projectDirectory)
  const guard = createBrowserGuard(projectDirectory)
  const { success, logs, outputs, metafile } = await Bun.build({
    entrypoints: [entrypoint],
    root: projectDirectory,
    target: 'browser',
    format: 'esm',
    minify: mode === 'production',
    sourcemap: mode === 'development' ? 'external' : 'none',
    metafile: true,
    throw: false,
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    plugins: [...plugins, guard.plugin, schemaShaking],
  })
  const [script, ...rest] = outputs.toSorted((left, right) => rankOf(left) - rankOf(right))
  if (!success || !metafile || !script) return forBrowsers(failureOfLogs(logs, file, projectDirectory))
  const own = ownFilesOf(metafile.inputs, file, known)
  const [found] = guard.found
  if (found) return failureOfImport(metafile.inputs, file, found, own)
  const maps = rest.filter(({ kind }) => kind === 'sourcemap')
  if (rest.length > maps.length) return forBrowsers(await failureOfAssets(metafile, file))
  const [map] = maps
  const text = await script.text()
  const code = map ? appendSourceMap(text, await map.text(), sourceName) : withoutDebugId(text)
  return { name: browserBundleNameOf(functionFile.functionFile, hashText(code)), code, own }
}

/** Says of a failure that it is one for browsers only: the bundle for servers is there. */
function forBrowsers({ mistake, suspects }: BundleFailure): BundleFailure {
  const reason = `It cannot be bundled for browsers: ${mistake.reason}`
  return { mistake: toMistake(mistake.place, reason), suspects }
}

/** Tells by which way something came in that only a server has, and what may be done. */
async function failureOfImport(
  graph: ImportGraph,
  entry: string,
  found: SourceImport,
  own: readonly string[],
): Promise<BundleFailure> {
  const chain = findChain(graph, entry, found, new Set(own))
  const reason =
    `It cannot run in a browser: ${chain.links.join(' > ')}, which only a server has. ` +
    `Import what runs in both, or leave 'browser' out of "runs".`
  return { mistake: toMistake(await locateImport(chain.import), reason), suspects: own }
}

/** What a page's tools show a source as: nothing of where the project lies on its host. */
function sourceName(source: string): string {
  const inPackages = source.lastIndexOf('node_modules/')
  return `isoplex:///${inPackages < 0 ? source.replace(/^(?:\.\.\/)+/, '') : source.slice(inPackages)}`
}
