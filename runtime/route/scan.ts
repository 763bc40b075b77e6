import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { IsoplexError } from '../error/error.ts'
import { isFunctionFile, isPrivateSegment } from './pattern.ts'

/** What a functions folder holds. Names are relative to it, with forward slashes, in order of code units. */
export interface FunctionScan {
  readonly files: readonly string[]
  /** Links that may have been meant as functions, but lead out of the folder, to a folder or nowhere. */
  readonly ignoredLinks: readonly string[]
}

/**
 * Lists the function files of a folder and of the folders in it. A folder that is not there has none. A link
 * to a file within is taken; a link to a folder is not followed, so that there is no cycle to walk.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the folder, or one in it, cannot be read.
 */
export async function scanFunctions(directory: string): Promise<FunctionScan> {
  const root = await unlessGone(realpath(directory))
  const found = root === null ? [] : await scanFolder(root, '')
  const names = (kind: Found['kind']): readonly string[] =>
    Object.freeze(
      found.flatMap((entry) => (entry.kind === kind ? [entry.name] : [])).toSorted(compareCodeUnits),
    )
  return Object.freeze({ files: names('file'), ignoredLinks: names('ignoredLink') })
}

interface Found {
  readonly kind: 'file' | 'ignoredLink'
  readonly name: string
}

// Bun's recursive listing follows links, in a cycle until the path is too long: hence one folder at a time.
async function scanFolder(root: string, folder: string): Promise<readonly Found[]> {
  const entries = (await unlessGone(readdir(join(root, folder), { withFileTypes: true }))) ?? []
  const scans = entries
    .filter((entry) => !isPrivateSegment(entry.name))
    .map((entry) => scanEntry(root, `${folder}${entry.name}`, entry))
  return (await Promise.all(scans)).flat()
}

async function scanEntry(root: string, name: string, entry: Dirent): Promise<readonly Found[]> {
  if (entry.isDirectory()) return scanFolder(root, `${name}/`)
  if (entry.isSymbolicLink()) return scanLink(root, name)
  return entry.isFile() && isFunctionFile(name) ? [{ kind: 'file', name }] : []
}

async function scanLink(root: string, name: string): Promise<readonly Found[]> {
  const target = await unlessGone(realpath(join(root, name)))
  const facts = target === null ? null : await unlessGone(stat(target))
  if (facts?.isDirectory()) return [{ kind: 'ignoredLink', name }]
  if (!isFunctionFile(name)) return []
  const taken = target?.startsWith(`${root}${sep}`) && facts?.isFile()
  return [{ kind: taken ? 'file' : 'ignoredLink', name }]
}

/** What an operation gives; `null` where its file is not there, has gone since, or is a link to itself. */
async function unlessGone<Outcome>(operation: Promise<Outcome>): Promise<Outcome | null> {
  try {
    return await operation
  } catch (cause) {
    const { code, path } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ELOOP') return null
    const message = `The functions folder cannot be read: ${code} at ${path}. Correct functionsDirectory.`
    throw new IsoplexError('CONFIG_INVALID', message, { cause })
  }
}

function compareCodeUnits(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}
