import { join } from 'node:path'
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
  { projectDirectory }: BuildDirectories,
  mode: BuildMode,
): Promise<BrowserBundleOutcome> {
  const bundle = (hashes: SourceHashes) =>
    bundleOnce(functionFile, new Set(Object.keys(hashes)), projectDirectory, mode)
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

async function bundleOnce(
  { file, functionFile }: FunctionFile,
  known: ReadonlySet<string>,
  projectDirectory: string,
  mode: BuildMode,
): Promise<BundleParts | BundleFailure> {
  const guard = createBrowserGuard(projectDirectory)
  const { success, logs, outputs, metafile } = await Bun.build({
    entrypoints: [join(projectDirectory, file)],
    root: projectDirectory,
    target: 'browser',
    format: 'esm',
    minify: mode === 'production',
    sourcemap: mode === 'development' ? 'external' : 'none',
    metafile: true,
    throw: false,
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    plugins: [guard.plugin, schemaShaking],
  })
  const [entry, ...others] = outputs.toSorted((left, right) => rankOf(left) - rankOf(right))
  if (!success || !metafile || !entry) return forBrowsers(failureOfLogs(logs, file, projectDirectory))
  const own = ownFilesOf(metafile.inputs, file, known)
  const [found] = guard.found
  if (found) return failureOfImport(metafile.inputs, file, found, own)
  const maps = others.filter(({ kind }) => kind === 'sourcemap')
  if (others.length > maps.length) return forBrowsers(await failureOfAssets(metafile, file))
  const [map] = maps
  const text = await entry.text()
  const code = map ? appendSourceMap(text, await map.text(), sourceName) : withoutDebugId(text)
  return { name: browserBundleNameOf(functionFile, hashText(code)), code, own }
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
