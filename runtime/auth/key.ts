import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { IsoplexError } from '../error/error.ts'

/** A key that signs and verifies model tokens, pinned to one algorithm. Printing it shows nothing secret. */
export interface TokenKey {
  /** The `kid` of tokens that it signs: a short digest of the key, no part of it. */
  readonly id: string
  readonly algorithm: 'HS256'
  readonly secret: CryptoKey
}

const keyBytes = 32

/**
 * Makes a key of secret bytes; the same bytes give the same key.
 *
 * @throws {TypeError} where there are fewer than 32.
 */
export async function createTokenKey(secret: Uint8Array<ArrayBuffer>): Promise<TokenKey> {
  if (secret.length < keyBytes) throw new TypeError(`"secret" must have at least ${keyBytes} bytes.`)
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return Object.freeze({
    id: createHash('sha256').update('isoplex token key\0').update(secret).digest('base64url').slice(0, 16),
    algorithm: 'HS256',
    secret: await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign', 'verify']),
  })
}

/**
 * Loads the project's own key, the file `key` in its state folder; makes both where they are missing. Any
 * number of processes that start at once agree on one key, and none ever sees half of it.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file can be read by others, is no key, or cannot be made.
 */
export async function loadProjectKey(stateDirectory: string): Promise<TokenKey> {
  const path = join(stateDirectory, 'key')
  try {
    const text = (await readKeyFile(path)) ?? (await makeKeyFile(stateDirectory, path))
    return await createTokenKey(parseKey(text, path))
  } catch (cause) {
    if (cause instanceof IsoplexError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsoplexError('CONFIG_INVALID', `The key ${path} cannot be had: ${reason}.`, { cause })
  }
}

/** The text of the key file, `null` where there is none. What is checked is what is read: one open file. */
async function readKeyFile(path: string): Promise<string | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const facts = await file.stat()
    if (!facts.isFile() || facts.size > 1024) throw malformed(path)
    // Windows knows no such permissions.
    if (process.platform !== 'win32' && (facts.mode & 0o177) !== 0) throw exposed(path, facts.mode)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** Makes the key under a name of its own and links it into place whole: the link of the first one stays. */
async function makeKeyFile(directory: string, path: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `key.${randomBytes(8).toString('hex')}`)
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${randomBytes(keyBytes).toString('base64url')}\n`)
    await file.sync()
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await file.close()
    await rm(draft, { force: true })
  }
  const text = await readKeyFile(path)
  if (text === null) throw malformed(path)
  return text
}

function parseKey(text: string, path: string): Uint8Array<ArrayBuffer> {
  const encoded = text.replace(/\n$/, '')
  const secret = Uint8Array.from(Buffer.from(encoded, 'base64url'))
  if (secret.length !== keyBytes || Buffer.from(secret).toString('base64url') !== encoded)
    throw malformed(path)
  return secret
}

function malformed(path: string): IsoplexError<'CONFIG_INVALID'> {
  const message = `${path} is no key of isoplex. Restore it, or delete it to make a new one; tokens made with the old one then end.`
  return new IsoplexError('CONFIG_INVALID', message)
}

function exposed(path: string, mode: number): IsoplexError<'CONFIG_INVALID'> {
  const found = (mode & 0o777).toString(8).padStart(4, '0')
  const message = `Others may use the key ${path}: its permissions are ${found} and must be 0600. Run: chmod 600 ${path}; if others could read it, delete it to make a new one.`
  return new IsoplexError('CONFIG_INVALID', message)
}
