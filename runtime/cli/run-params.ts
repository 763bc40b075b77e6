import { basename } from 'node:path'
import { type FileValue, fileValue, isMediaType } from '../define/file-value.ts'
import { IsoplexError } from '../error/error.ts'

/** A file that is to be a parameter, and which; `null` where it is all of the input. */
export interface GivenFile {
  readonly field: string | null
  readonly path: string
  /** The media type; `null` leaves it to the ending of the file's name. */
  readonly mediaType: string | null
}

/**
 * Reads what `--input` is given: `field=@path`, or `@path` for the only one; `;type=image/png` may follow. `null` where it
 * is neither.
 */
export function parseGivenFile(text: string): GivenFile | null {
  const [, field, path = '', mediaType] = /^(?:([^=@]+)=)?@(.+?)(?:;type=([^;]+))?$/s.exec(text) ?? []
  if (path === '' || (mediaType !== undefined && !isMediaType(mediaType))) return null
  return { field: field ?? null, path, mediaType: mediaType ?? null }
}

/**
 * Reads the parameters: JSON, `@` and the path of a file of JSON, or `-` for standard input, with the files put into their
 * fields. `undefined` where none are given.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where something cannot be read, is no JSON, or does not go together.
 */
export async function readParams(text: string | undefined, files: readonly GivenFile[]): Promise<unknown> {
  const params = text === undefined ? undefined : parse(await readText(text))
  const [first] = files
  if (!first) return params
  if (files.some(({ field }) => field === null)) {
    if (files.length === 1 && params === undefined) return await readFile(first)
    throw invalid(
      'A file that is all of the input goes alone: name the field of each, as in --input field=@path.',
    )
  }
  if (params !== undefined && !isRecord(params)) {
    throw invalid('--params must be an object where --input puts files into its fields.')
  }
  const read = await Promise.all(files.map(async (file) => [file.field, await readFile(file)] as const))
  return { ...params, ...Object.fromEntries(read) }
}

async function readText(text: string): Promise<string> {
  if (text !== '-' && !text.startsWith('@')) return text
  try {
    return await (text === '-' ? Bun.stdin : Bun.file(text.slice(1))).text()
  } catch (cause) {
    throw unreadable('The parameters', cause)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw invalid(`The parameters are no JSON: ${reason}.`)
  }
}

/** Bun knows these by the names that they had before they were registered. */
const unregisteredPrefix = /^audio\/x-(?=(?:wav|flac|aac)$)/

async function readFile({ path, mediaType }: GivenFile): Promise<FileValue> {
  const file = Bun.file(path)
  const guessed = (file.type.split(';', 1)[0] ?? '').replace(unregisteredPrefix, 'audio/')
  try {
    return fileValue(
      await file.bytes(),
      mediaType ?? (isMediaType(guessed) ? guessed : 'application/octet-stream'),
      basename(path),
    )
  } catch (cause) {
    throw unreadable(`The file ${path}`, cause)
  }
}

function unreadable(what: string, cause: unknown): IsoplexError<'CONFIG_INVALID'> {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new IsoplexError('CONFIG_INVALID', `${what} cannot be read: ${reason}.`, { cause })
}

function invalid(message: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', message)
}

/** Whether a value is an object that holds values by names. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
