import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveRefusal, quoteName } from '../archive/refusal.ts'
import { hasCode } from './storage-error.ts'

/** A file of a model's folder. */
export interface ModelFile {
  /** Its path below the folder, with slashes. */
  readonly name: string
  readonly path: string
  readonly sizeBytes: number
  /** Changes whenever the content may have changed. */
  readonly stamp: string
}

/** Where a model's folder says more of the model, which is no part of it. */
export const fieldsFileName = 'isoplex.json'

/** Code and words about a model, which are no part of it. */
const leftOut = /\.(?:ts|md)$/i

/**
 * Lists the files of a model's folder, in the order of their names. `*.ts`, `*.md`, whatever begins with a dot, and
 * the folder's own `isoplex.json` are left out: how a model was made and what is said of it lies beside it and does
 * not make it another one.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` at a link or a special file: what it means elsewhere nobody knows.
 */
export async function listModelFiles(folder: string): Promise<readonly ModelFile[]> {
  const files = await Array.fromAsync(walk(folder, ''))
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Finds one file by its path; `null` where there is nothing. `name` is what it is called in its folder.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` where it is no plain file.
 */
export async function findModelFile(path: string, name: string): Promise<ModelFile | null> {
  try {
    return toModelFile(name, path, await lstat(path, { bigint: true }))
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

/** One short text for a list of files, to tell without reading them whether they are as they were. */
export function fingerprintOf(files: readonly ModelFile[]): string {
  const hash = createHash('sha256')
  for (const { name, stamp } of files) hash.update(`${name}\0${stamp}\0`)
  return hash.digest('hex')
}

async function* walk(folder: string, prefix: string): AsyncGenerator<ModelFile> {
  for (const segment of await readdir(folder)) {
    if (segment.startsWith('.')) continue
    const path = join(folder, segment)
    const name = `${prefix}${segment}`
    const facts = await lstat(path, { bigint: true })
    if (facts.isDirectory()) yield* walk(path, `${name}/`)
    else if (!leftOut.test(segment) && name !== fieldsFileName) yield toModelFile(name, path, facts)
  }
}

/** @throws {IsoplexError} `ARTIFACT_BROKEN` */
function toModelFile(name: string, path: string, facts: BigIntStats): ModelFile {
  if (facts.isFile()) {
    const { size, mtimeNs, ctimeNs, ino } = facts
    return { name, path, sizeBytes: Number(size), stamp: [size, mtimeNs, ctimeNs, ino].join(' ') }
  }
  const link = facts.isSymbolicLink()
  throw archiveRefusal(
    link ? 'link' : 'special-file',
    `${quoteName(path)} is ${link ? 'a link' : 'neither a file nor a folder'}; put the file itself in its place.`,
  )
}
