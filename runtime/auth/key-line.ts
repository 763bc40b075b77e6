import { IsoplexError } from '../error/error.ts'
import { decodeBase64url } from './base64url.ts'
import { idOfSecret, secretBytes } from './project-key.ts'

/** One line of a project's key file. */
export interface KeyLine {
  readonly id: string
  readonly secret: Uint8Array<ArrayBuffer>
  /** The longest life of a token that was made with it, in seconds. */
  readonly lifeSeconds: number
  /** When it stops to count, in seconds since 1970; `null` while it is not retired. */
  readonly untilSeconds: number | null
}

/** The most keys that a project has at a time. */
export const maxProjectKeys = 32

const form = /^([\w-]{43})(?: life=(\d{1,12}))?(?: until=(\d{1,12}))?$/

/**
 * Reads the lines of a key file, such as `SECRET life=3600 until=1767225600`, the secret in base64url. The first is
 * the key that signs and is not retired. A file of one secret alone is one too.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`; the text is not repeated.
 */
export function parseKeyLines(text: string, path: string): readonly [KeyLine, ...KeyLine[]] {
  const [first, ...others] = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => parseLine(line, path))
  if (first === undefined || first.untilSeconds !== null || others.length >= maxProjectKeys) {
    throw malformed(path)
  }
  if (new Set([first, ...others].map(({ id }) => id)).size <= others.length) throw malformed(path)
  return [first, ...others]
}

/** The text of a key file. */
export function formatKeyLines(lines: readonly KeyLine[]): string {
  return lines.map((line) => `${formatLine(line)}\n`).join('')
}

function parseLine(line: string, path: string): KeyLine {
  const [, encoded = '', life, until] = form.exec(line) ?? []
  const secret = decodeBase64url(encoded)
  if (secret?.length !== secretBytes) throw malformed(path)
  return {
    id: idOfSecret(secret),
    secret,
    lifeSeconds: Number(life ?? 0),
    untilSeconds: until === undefined ? null : Number(until),
  }
}

function formatLine({ secret, lifeSeconds, untilSeconds }: KeyLine): string {
  const words = [Buffer.from(secret).toString('base64url')]
  if (lifeSeconds > 0) words.push(`life=${lifeSeconds}`)
  if (untilSeconds !== null) words.push(`until=${untilSeconds}`)
  return words.join(' ')
}

function malformed(path: string): IsoplexError<'CONFIG_INVALID'> {
  const message = `${path} holds no keys of isoplex. Restore it, or delete it to make a new key; tokens made with the old ones then end.`
  return new IsoplexError('CONFIG_INVALID', message)
}
