import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { IsoplexError } from '../error/error.ts'

/** How a key's file is read. */
export interface KeyFileOptions {
  /** Whether it holds a secret, which nobody but its owner may be able to read or write. */
  readonly secret: boolean
  /** The largest file that is taken. */
  readonly maxBytes: number
}

/**
 * The text of a key's file, `null` where there is none. What is checked is what is read: one open file. It is short
 * and read at once, without giving way.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it is no file, too large, or a secret that others may use.
 */
export function readKeyFile(path: string, { secret, maxBytes }: KeyFileOptions): string | null {
  const descriptor = openKeyFile(path)
  if (descriptor === null) return null
  try {
    const facts = fstatSync(descriptor)
    if (!facts.isFile()) throw unusable(`${path} is no file.`)
    if (facts.size > maxBytes) throw unusable(`${path} is too large to be a key.`)
    // Windows knows no such permissions.
    if (secret && process.platform !== 'win32' && (facts.mode & 0o177) !== 0) throw exposed(path, facts.mode)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function openKeyFile(path: string): number | null {
  try {
    // A pipe would be waited for without an end.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Makes a secret's file, whole, unless there is one already. */
export function makeKeyFile(path: string, text: string): void {
  writeDraft(path, text, (draft) => {
    try {
      linkSync(draft, path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  })
}

/** Puts a new secret's file in the place of the old one: whoever reads sees one of the two whole. */
export function replaceKeyFile(path: string, text: string): void {
  writeDraft(path, text, (draft) => renameSync(draft, path))
  syncFolder(dirname(path))
}

function writeDraft(path: string, text: string, place: (draft: string) => void): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
    place(draft)
  } finally {
    closeSync(descriptor)
    rmSync(draft, { force: true })
  }
}

/** Windows has no such call, and needs none. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function unusable(message: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', message)
}

function exposed(path: string, mode: number): IsoplexError<'CONFIG_INVALID'> {
  const found = (mode & 0o777).toString(8).padStart(4, '0')
  return unusable(
    `Others may use the key ${path}: its permissions are ${found} and must be 0600. Run: chmod 600 ${path}; if others could read it, make a new one.`,
  )
}
