import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { createChecker } from '../define/check.ts'
import { IsoplexError } from '../error/error.ts'
import { resolveConflicts } from '../route/conflict.ts'
import { parseRoute } from '../route/pattern.ts'
import { writeIfChanged } from './atomic-file.ts'
import { hashOfBundleName, pruneBundles } from './bundle-folder.ts'
import { hashText } from './content-hash.ts'
import { freezeData } from './frozen-data.ts'
import type { FunctionManifest, Manifest } from './manifest.ts'
import { functionManifestSchema } from './manifest-schema.ts'

/** What is written where. */
export interface OutputOptions {
  readonly manifest: Manifest
  /** The folder of the manifest's bundles. */
  readonly bundlesDirectory: string
  /** The folder that is written; made where it is missing. */
  readonly outputDirectory: string
}

/** A build that was written to a folder. */
export interface Output {
  readonly manifest: Manifest
  readonly bundlesDirectory: string
}

const formatVersion = 1
const fileName = 'manifest.json'
/** The folder of the bundles, in the folder of a build. */
export const bundlesFolder = 'bundles'
const checker = createChecker(
  Type.Object(
    { isoplexBuild: Type.Literal(formatVersion), functions: Type.Array(functionManifestSchema) },
    { additionalProperties: false },
  ),
)

/**
 * Writes a build to a folder, from which a server starts without compiling: `manifest.json` and `bundles/`. The
 * manifest is replaced when the bundles are there; bundles of an earlier build are removed, other files are left.
 * Bundles find packages from where they lie, so the folder belongs beside the project's `node_modules`.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where a function is broken, `CONFIG_INVALID` where the folder holds a
 * `manifest.json` of something else.
 */
export async function writeOutput({
  manifest,
  bundlesDirectory,
  outputDirectory,
}: OutputOptions): Promise<void> {
  assertUnbroken(manifest)
  await assertReplaceable(outputDirectory)
  const target = join(outputDirectory, bundlesFolder)
  await mkdir(target, { recursive: true })
  for (const { bundle } of manifest.functions) {
    await writeIfChanged(join(target, bundle), await readFile(join(bundlesDirectory, bundle), 'utf8'))
  }
  const content = { isoplexBuild: formatVersion, functions: manifest.functions }
  await writeIfChanged(join(outputDirectory, fileName), `${JSON.stringify(content, null, 2)}\n`)
  await pruneBundles(target, new Set(manifest.functions.map(({ bundle }) => bundle)))
}

/**
 * Reads what {@link writeOutput} wrote, and makes sure that it is whole: every member is of its kind, routes and
 * names are clear of each other, and each bundle is there with the content that its name tells.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it is not.
 */
export async function readManifest(outputDirectory: string): Promise<Output> {
  const path = join(outputDirectory, fileName)
  const content = await readJson(path)
  const [issue] = checker.issues(content)
  if (issue) throw refusal(path, `${issue.path || 'its top'}: ${issue.message}`)
  const { functions } = content as { functions: readonly FunctionManifest[] }
  assertServable(path, functions)
  const bundlesDirectory = join(outputDirectory, bundlesFolder)
  await Promise.all(functions.map(({ bundle }) => assertWhole(join(bundlesDirectory, bundle), bundle)))
  return Object.freeze({ manifest: freezeData({ functions, broken: [] }), bundlesDirectory })
}

function assertUnbroken({ broken }: Manifest): void {
  const [first] = broken
  if (!first) return
  const list = broken.map(({ place, reason }) => {
    return `${[place.file, place.line, place.column].filter((part) => part !== null).join(':')}: ${reason}`
  })
  throw new IsoplexError('BUILD_FAILED', `Nothing was written, since not all is well.\n${list.join('\n')}`, {
    details: { file: first.place.file, line: first.place.line },
  })
}

async function assertReplaceable(outputDirectory: string): Promise<void> {
  const path = join(outputDirectory, fileName)
  const present = await readFile(path, 'utf8').catch(() => null)
  if (present === null || present.startsWith('{\n  "isoplexBuild":')) return
  throw new IsoplexError('CONFIG_INVALID', `${path} is not of an isoplex build; write to another folder.`)
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw refusal(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function assertServable(path: string, functions: readonly FunctionManifest[]): void {
  const routes = functions.map(({ file, name, route, path: routePath }) => {
    const pattern = parseRoute(route, file)
    if (pattern.path !== routePath)
      throw refusal(path, `${file} has the route ${route}, but the path ${routePath}`)
    return { file, name, pattern }
  })
  const [conflict] = resolveConflicts(routes).conflicts
  if (conflict) throw refusal(path, conflict.message, conflict)
}

async function assertWhole(path: string, bundle: string): Promise<void> {
  const code = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refusal(path, 'the bundle cannot be read', cause)
  })
  if (hashText(code) !== hashOfBundleName(bundle)) throw refusal(path, 'the bundle was changed or cut short')
}

function refusal(path: string, reason: string, cause?: unknown): IsoplexError<'CONFIG_INVALID'> {
  const message = `${path} is not a whole build (${reason}). Write it anew with "isoplex build".`
  return new IsoplexError('CONFIG_INVALID', message, { cause })
}
