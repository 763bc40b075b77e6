import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildMode } from '../bundle.ts'
import { hashFile } from '../content-hash.ts'
import { isWhole } from './file-name.ts'

/** Which of isoplex's own files for pages: the worker with its engine and the client, or the playground. */
export type AssetSetName = 'page' | 'playground'

/** What a file of a set is for. */
export type AssetRole =
  | 'worker'
  | 'client'
  | 'webgpuModule'
  | 'webgpuWasm'
  | 'wasmModule'
  | 'wasmWasm'
  | 'script'
  | 'styles'

/** A set of files for pages, built and named after their content. */
export interface AssetSet {
  /** The folder in which the files are. */
  readonly directory: string
  /** The files to begin with, by what they are for. */
  readonly names: Readonly<Partial<Record<AssetRole, string>>>
  /** The version of onnxruntime-web, where it is part of the set. */
  readonly onnxVersion: string
  /** The names of all files, those included that others import. */
  readonly files: readonly string[]
}

/** A set as it is noted beside its files. */
export interface AssetRecord extends Omit<AssetSet, 'directory'> {
  /** Under which conditions it was built. */
  readonly key: string
  /** The hashes of the files that it was made of, by their absolute paths. */
  readonly sources: Readonly<Record<string, string | null>>
}

/** The file in which a set is noted. */
export const assetRecordName = 'assets.json'

/** The folder of a set within the folder for pages. */
export function assetDirectoryOf(pageDirectory: string, set: AssetSetName, mode: BuildMode): string {
  return join(pageDirectory, `${set}-${mode}`)
}

/** The name of a file of a set. @throws {Error} where the set has no such file */
export function assetOf({ names }: Pick<AssetSet, 'names'>, role: AssetRole): string {
  const name = names[role]
  if (name === undefined) throw new Error(`The files for pages have no ${role}.`)
  return name
}

/** The set that a folder holds, if it is of these conditions, of the sources as they are now, and whole. */
export async function findAssets(directory: string, key: string): Promise<AssetSet | null> {
  const record = await readRecord(directory)
  if (record?.key !== key) return null
  const sources = Object.entries(record.sources).map(
    async ([path, hash]) => hash !== null && (await hashFile(path)) === hash,
  )
  const files = record.files.map((name) => isWhole(join(directory, name), name))
  const checks = await Promise.all([...sources, ...files])
  return checks.every((each) => each) ? toAssetSet(directory, record) : null
}

/** A set as it is noted beside its files, unchecked; `null` where none is. */
async function readRecord(directory: string): Promise<AssetRecord | null> {
  try {
    return JSON.parse(await readFile(join(directory, assetRecordName), 'utf8'))
  } catch {
    return null
  }
}

/** The set that a record tells of. */
export function toAssetSet(
  directory: string,
  { names, onnxVersion, files }: Omit<AssetSet, 'directory'>,
): AssetSet {
  return { directory, names, onnxVersion, files }
}
