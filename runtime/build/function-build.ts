import { join } from 'node:path'
import { isDefinition } from '../define/definition.ts'
import { writeIfChanged } from './atomic-file.ts'
import { bundleForBrowser } from './browser-bundle.ts'
import {
  type BuildDirectories,
  type BuildMode,
  type Bundle,
  bundleFunction,
  type SourceHashes,
} from './bundle.ts'
import { locateImport } from './bundle-mistake.ts'
import { type DefinitionOrigin, describeFunction } from './describe.ts'
import type { FunctionManifest } from './manifest.ts'
import type { BuildOrder } from './message.ts'
import { locateError, locateText, type Mistake, placeOf, type SourcePlace, toMistake } from './mistake.ts'

/** What comes of building one function file. */
export type FunctionOutcome =
  | { readonly kind: 'described'; readonly manifest: FunctionManifest }
  | { readonly kind: 'broken'; readonly mistake: Mistake; readonly again: boolean }

/** Where and how functions are built. */
export interface BuildSettings {
  readonly directories: BuildDirectories
  /** How bundles for browsers are made. */
  readonly mode: BuildMode
}

/**
 * Builds one function file: bundles it, writes the bundle, imports it and reads what it exports, and bundles it once
 * more for browsers where it runs there. `onSources` is told the sources before any code of the function runs, since
 * that may not end, and again with those of the second bundle.
 */
export async function buildFunction(
  order: BuildOrder,
  { directories, mode }: BuildSettings,
  onSources: (sources: SourceHashes) => void,
): Promise<FunctionOutcome> {
  const outcome = await bundleFunction(order, order.known, directories)
  if ('mistake' in outcome) {
    onSources(outcome.sources)
    return { kind: 'broken', mistake: outcome.mistake, again: true }
  }
  const { bundle } = outcome
  onSources(bundle.sources)
  const path = join(directories.bundlesDirectory, bundle.name)
  const failure = await writeBundle(path, bundle.code, order)
  if (failure) return failure
  const described = await describeBundle(path, bundle, order, directories.projectDirectory)
  if (described.kind === 'broken' || !described.manifest.runs.includes('browser')) return described
  const forBrowser = await bundleForBrowser(order, bundle.sources, directories, mode)
  const sources = {
    ...bundle.sources,
    ...('mistake' in forBrowser ? forBrowser : forBrowser.bundle).sources,
  }
  onSources(sources)
  if ('mistake' in forBrowser) return { kind: 'broken', mistake: forBrowser.mistake, again: true }
  const { name, code } = forBrowser.bundle
  const manifest = { ...described.manifest, browser: { bundle: name }, sources: Object.keys(sources).sort() }
  return (
    (await writeBundle(join(directories.bundlesDirectory, name), code, order)) ?? { ...described, manifest }
  )
}

async function writeBundle(
  path: string,
  code: string,
  { file }: BuildOrder,
): Promise<Extract<FunctionOutcome, { kind: 'broken' }> | null> {
  try {
    await writeIfChanged(path, code)
    return null
  } catch (error) {
    return { kind: 'broken', mistake: toMistake(placeOf(file), messageOf(error)), again: true }
  }
}

/** What a bundle exports: of the function files that it imports beside its own, if there are any. */
interface FunctionExports {
  readonly default?: unknown
  readonly functions?: DefinitionOrigin['imported']
}

async function describeBundle(
  path: string,
  bundle: Bundle,
  { file, functionFile }: BuildOrder,
  projectDirectory: string,
): Promise<FunctionOutcome> {
  const sources = Object.keys(bundle.sources)
  let exports: FunctionExports
  try {
    exports = await import(path)
  } catch (error) {
    const place = locateError(error, projectDirectory, sources) ?? (await locateCause(error, bundle, path))
    const again = error instanceof ResolveMessage
    return { kind: 'broken', mistake: toMistake(place ?? placeOf(file), messageOf(error)), again }
  }
  try {
    const definition = exports.default
    if (!isDefinition(definition)) throw new TypeError(describeExport(exports))
    const imported = exports.functions ?? []
    const origin = { file, functionFile, bundle: bundle.name, sources, imported }
    return { kind: 'described', manifest: describeFunction(definition, origin) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'broken', mistake: toMistake(await locateDefinition(file), reason), again: false }
  }
}

/** The import that an error of linking speaks of, which has no stack. */
async function locateCause(error: unknown, { imports }: Bundle, path: string): Promise<SourcePlace | null> {
  const [, modulePath] = /not found in module '(.+)'/.exec(messageOf(error)) ?? []
  const cause = imports.find(({ specifier }) => {
    if (error instanceof ResolveMessage) return specifier === error.specifier
    return modulePath !== undefined && resolvesTo(specifier, path, modulePath)
  })
  return cause ? locateImport(cause) : null
}

function resolvesTo(specifier: string, from: string, path: string): boolean {
  try {
    return Bun.resolveSync(specifier, from) === path
  } catch {
    return false
  }
}

async function locateDefinition(file: string): Promise<SourcePlace> {
  return locateText(file, await Bun.file(file).text(), /^[ \t]*export\s+default\b/m) ?? placeOf(file)
}

function describeExport(exports: FunctionExports): string {
  const wanted = 'export default what defineFunction(), defineInference() or defineAction() returns'
  const value = exports.default
  if (value === undefined) return `It has no default export; ${wanted}.`
  const what = value === null ? 'null' : typeof value
  return `Its default export is of another kind (${what}); ${wanted}.`
}

/** What an error that a function threw says, in the words of whoever threw it. */
export function messageOf(error: unknown): string {
  if (error instanceof ResolveMessage) {
    return error.specifier.startsWith('.')
      ? `Cannot find "${error.specifier}".`
      : `Cannot find the package "${error.specifier}"; is it installed?`
  }
  if (!(error instanceof Error)) return `It threw ${Bun.inspect(error)}, which is no error.`
  const plain = error.name === 'Error' || error.name === 'IsoplexError' || error instanceof BuildMessage
  return plain ? String(error.message) : `${error.name}: ${error.message}`
}
