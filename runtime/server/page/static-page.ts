import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { copyWhole, writeIfChanged } from '../../build/atomic-file.ts'
import type { FunctionManifest } from '../../build/manifest.ts'
import type { AssetSet } from '../../build/page/asset-set.ts'
import { compressedPaths } from '../../build/page/compression.ts'
import { hashOfFileName, isWhole } from '../../build/page/file-name.ts'
import { IsoplexError } from '../../error/error.ts'
import { pageManifestName } from '../../page/manifest.ts'
import { formatIndex, type PageIndex, pageIndexOf } from './page-index.ts'

/** What is written where. */
export interface StaticPageOptions {
  readonly functions: readonly FunctionManifest[]
  /** The folder of the functions' bundles. */
  readonly bundlesDirectory: string
  /** isoplex's own files for pages. */
  readonly assets: AssetSet
  /** The folder with compressed forms of them; `null` where none are wished. */
  readonly compressedDirectory: string | null
  /** The folder that is written. */
  readonly directory: string
}

/** Files for pages in a folder of their own. */
export interface StaticPage {
  /** The text of `index.json`. */
  readonly text: string
  readonly index: PageIndex
  readonly directory: string
}

/** The name by which pages that bundle nothing know the client. */
const clientName = 'client.js'

/** The folder of files for pages, in the folder of a build. */
export const browserFolder = 'browser'

/**
 * Writes all files for pages to a folder that any web server can serve: each under its name, with compressed forms
 * beside it where there are some, the client also as `client.js`, and `index.json` when all of them are there. Files
 * that earlier builds left are removed.
 */
export async function writeStaticPage(options: StaticPageOptions): Promise<void> {
  const { functions, bundlesDirectory, assets, compressedDirectory, directory } = options
  const index = pageIndexOf(functions, assets)
  const own = new Set(assets.files)
  for (const name of index.files) {
    const path = join(directory, name)
    const source = join(own.has(name) ? assets.directory : bundlesDirectory, name)
    if (!(await isWhole(path, name))) await copyWhole(source, path)
    await placeCompressed(compressedDirectory, name, path)
  }
  await copyWhole(join(assets.directory, index.client), join(directory, clientName))
  await placeCompressed(compressedDirectory, index.client, join(directory, clientName))
  await writeIfChanged(join(directory, pageManifestName), formatIndex(index))
  await removeStaticPage(directory, new Set(index.files))
}

/** Removes files for pages that earlier builds wrote to a folder, except those that are named. */
export async function removeStaticPage(
  directory: string,
  kept: ReadonlySet<string> = new Set(),
): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) {
    const plain = name.replace(/\.(?:br|gz)$/, '')
    const isIndex = plain === pageManifestName || plain === clientName
    const isSurplus = isIndex ? kept.size === 0 : hashOfFileName(plain) !== null && !kept.has(plain)
    if (isSurplus) await rm(join(directory, name), { force: true })
  }
}

/**
 * Reads what {@link writeStaticPage} wrote for these functions, and makes sure that every file is there with the
 * content that its name tells. `null` where none of the functions runs in browsers.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it is not whole.
 */
export async function readStaticPage(
  directory: string,
  functions: readonly FunctionManifest[],
): Promise<StaticPage | null> {
  const bundles = functions.flatMap(({ browser }) => browser?.bundle ?? [])
  if (bundles.length === 0) return null
  const path = join(directory, pageManifestName)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refusal(path, 'it cannot be read', cause)
  })
  const index = parseIndex(path, text)
  const missing = bundles.find((bundle) => !index.files.includes(bundle))
  if (missing) throw refusal(path, `${missing} is not in it`)
  for (const name of index.files) {
    const file = join(directory, name)
    if (!(await isWhole(file, name))) throw refusal(file, 'it is missing, or was changed or cut short')
  }
  return Object.freeze({ text, index, directory })
}

/** Takes the index for what it is only as far as files are served by it. */
function parseIndex(path: string, text: string): PageIndex {
  try {
    const index: PageIndex = JSON.parse(text)
    const { isoplexPage, files, client } = index
    const isList =
      isoplexPage === 1 && Array.isArray(files) && files.every((name) => typeof name === 'string')
    if (isList && files.includes(client)) return index
  } catch (cause) {
    throw refusal(path, 'it is no JSON', cause)
  }
  throw refusal(path, 'it is no list of files for pages')
}

/** Puts the compressed forms of a file beside it, those that there are, and takes away those that are not wished. */
async function placeCompressed(directory: string | null, name: string, target: string): Promise<void> {
  const sources = directory === null ? null : compressedPaths(directory, name)
  const targets = compressedPaths('', target)
  for (const encoding of ['br', 'gzip'] as const) {
    const source = sources?.[encoding]
    if (source === undefined) await rm(targets[encoding], { force: true })
    else if (await stat(source).catch(() => null)) await copyWhole(source, targets[encoding])
  }
}

function refusal(path: string, reason: string, cause?: unknown): IsoplexError<'CONFIG_INVALID'> {
  const message = `${path} is not of a whole build (${reason}). Write it anew with "isoplex build".`
  return new IsoplexError('CONFIG_INVALID', message, { cause })
}
