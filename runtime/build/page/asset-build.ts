import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IsoplexError } from '../../error/error.ts'
import { copyWhole, longestWriteMs, partialSuffix, writeWhole } from '../atomic-file.ts'
import type { BuildMode } from '../bundle.ts'
import { hashFile, hashText } from '../content-hash.ts'
import { schemaShaking } from '../schema-shaking.ts'
import {
  type AssetRecord,
  type AssetRole,
  type AssetSet,
  type AssetSetName,
  assetDirectoryOf,
  assetRecordName,
  findAssets,
  toAssetSet,
} from './asset-set.ts'
import { fileNameOf, hashOfFileName, isWhole } from './file-name.ts'
import { renameByContent } from './hashed-outputs.ts'

/** A module of isoplex that becomes a file for pages. */
export interface AssetEntry {
  readonly role: AssetRole
  /** What its file's name begins with. */
  readonly stem: string
  /** The absolute path of the module. */
  readonly path: string
}

/** What a set is made of. */
export interface AssetPlan {
  readonly set: AssetSetName
  readonly mode: BuildMode
  /** The folder for pages. */
  readonly pageDirectory: string
  readonly entries: readonly AssetEntry[]
  /** Files that are taken as they are, by what they are for: absolute paths in a package. */
  readonly copies: Readonly<Partial<Record<AssetRole, string>>>
}

const ownDirectory = fileURLToPath(new URL('../../..', import.meta.url))
const runtimeFile = (path: string): string => join(ownDirectory, 'runtime', path)

/** The modules of each set. */
export const assetEntries: Readonly<Record<AssetSetName, readonly AssetEntry[]>> = {
  page: [
    { role: 'worker', stem: 'worker', path: runtimeFile('entry/page-worker.ts') },
    { role: 'client', stem: 'client', path: runtimeFile('client/index.ts') },
  ],
  playground: [{ role: 'script', stem: 'playground', path: runtimeFile('playground/main.tsx') }],
}

/**
 * Builds a set of isoplex's own files for pages, unless its folder holds it already. What the bundler takes of memory
 * it does not give back, so this is for a process that ends soon.
 *
 * @throws {IsoplexError} `BUILD_FAILED`
 */
export async function buildAssets(plan: AssetPlan): Promise<AssetSet> {
  const { set, mode, pageDirectory, entries, copies } = plan
  const directory = assetDirectoryOf(pageDirectory, set, mode)
  const key = await keyOf(plan)
  const found = await findAssets(directory, key)
  if (found) return found
  await mkdir(directory, { recursive: true })
  const bundled = await Promise.all(entries.map((entry) => bundleAsset(entry, mode, directory)))
  const copied = await copyAssets(copies, directory)
  const names = [...bundled.flatMap((each) => each.names), ...copied.names]
  const files = [...bundled.flatMap((each) => each.files), ...copied.names.map(([, name]) => name)]
  const record: AssetRecord = {
    key,
    names: Object.fromEntries(names),
    onnxVersion: copied.onnxVersion,
    files: [...new Set(files)].sort(),
    sources: await hashAll([...bundled.flatMap((each) => each.sources), ...copied.sources]),
  }
  await writeWhole(join(directory, assetRecordName), JSON.stringify(record))
  await prune(directory, new Set(record.files))
  return toAssetSet(directory, record)
}

async function keyOf({ mode, entries }: AssetPlan): Promise<string> {
  const own = await Promise.all([join(ownDirectory, 'package.json'), import.meta.path].map(hashFile))
  return hashText(JSON.stringify([own, Bun.version, Bun.revision, mode, entries]))
}

interface BundledAsset {
  readonly names: readonly (readonly [AssetRole, string])[]
  readonly files: readonly string[]
  readonly sources: readonly string[]
}

async function bundleAsset(
  { role, stem, path }: AssetEntry,
  mode: BuildMode,
  directory: string,
): Promise<BundledAsset> {
  const { success, logs, outputs, metafile } = await Bun.build({
    entrypoints: [path],
    root: ownDirectory,
    target: 'browser',
    format: 'esm',
    splitting: true,
    minify: mode === 'production',
    sourcemap: mode === 'development' ? 'inline' : 'none',
    metafile: true,
    throw: false,
    // ONNX Runtime then loads its module by URL, which it also starts its threads from; and isoplex's own modules
    // are its sources, as Bun has them.
    conditions: ['onnxruntime-web-use-extern-wasm', 'bun'],
    naming: { entry: `${stem}.[ext]`, chunk: '[name]-[hash].[ext]', asset: `${stem}.[ext]` },
    jsx: { runtime: 'automatic', importSource: 'preact', development: false },
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    plugins: [schemaShaking],
  })
  if (!success || !metafile) throw buildFailed(path, logs)
  const texts = outputs.map(async (output) => ({ path: output.path, text: await output.text() }))
  const renamed = renameByContent(await Promise.all(texts))
  for (const { path: name, text } of renamed.values()) await writeWhole(join(directory, name), text)
  const script = renamed.get(`${stem}.js`)
  if (!script) throw buildFailed(path, logs)
  const styles = renamed.get(`${stem}.css`)
  return {
    names: [[role, script.path], ...(styles ? ([['styles', styles.path]] as const) : [])],
    files: [...renamed.values()].map((file) => file.path),
    sources: Object.keys(metafile.inputs).map((input) => resolve(ownDirectory, input)),
  }
}

function buildFailed(
  path: string,
  logs: readonly (BuildMessage | ResolveMessage)[],
): IsoplexError<'BUILD_FAILED'> {
  const [first] = logs.filter(({ level }) => level === 'error')
  const file = path.slice(ownDirectory.length)
  const message = `isoplex could not build its own files for pages: ${first?.message ?? 'the bundler gave no reason'}.`
  return new IsoplexError('BUILD_FAILED', message, { details: { file, line: first?.position?.line ?? null } })
}

interface CopiedAssets {
  readonly names: readonly (readonly [AssetRole, string])[]
  readonly sources: readonly string[]
  readonly onnxVersion: string
}

/** Copies files of one package; what lies in it changes with its version, which is quicker to look at than all of it. */
async function copyAssets(copies: AssetPlan['copies'], directory: string): Promise<CopiedAssets> {
  const names: (readonly [AssetRole, string])[] = []
  const paths = Object.entries(copies) as [AssetRole, string][]
  for (const [role, path] of paths) {
    const extension = extname(path)
    const name = fileNameOf(basename(path, extension), (await hashFile(path)) ?? '', extension.slice(1))
    if (!(await isWhole(join(directory, name), name))) await copyWhole(path, join(directory, name))
    names.push([role, name])
  }
  const [first] = paths
  if (!first) return { names, onnxVersion: '', sources: [] }
  const packageFile = join(dirname(first[1]), '../package.json')
  const { version }: { readonly version: string } = JSON.parse(await readFile(packageFile, 'utf8'))
  return { names, onnxVersion: version, sources: [packageFile] }
}

async function hashAll(paths: readonly string[]): Promise<Readonly<Record<string, string | null>>> {
  const hashes = [...new Set(paths)].sort().map(async (path) => [path, await hashFile(path)] as const)
  return Object.fromEntries(await Promise.all(hashes))
}

/** Removes what earlier versions of isoplex have left, and what processes that died long ago left half-written. */
async function prune(directory: string, named: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const isSurplus = name.endsWith(partialSuffix)
      ? Date.now() - (await stat(path)).mtimeMs > longestWriteMs
      : hashOfFileName(name) !== null && !named.has(name)
    if (isSurplus) await rm(path, { force: true })
  }
}
