import { type FileValue, isFileValue } from '../define/file-value.ts'
import { isTensor, type Tensor } from '../engine/tensor.ts'
import { maxLevels } from './json-text.ts'
import { tensorBody, tensorMediaType } from './tensor-media.ts'

/** A value that JSON cannot carry, and where it stood. */
export interface TakenPart<Value> {
  /**
   * The JSON pointer (RFC 6901) of the place, each of its names percent-encoded, so that it can be the name of a
   * part whatever the names are.
   */
  readonly pointer: string
  readonly value: Value
}

/** A value less what JSON cannot carry: in its places stands `null`. */
export interface TakenApart<Value> {
  readonly rest: unknown
  readonly parts: readonly TakenPart<Value>[]
}

/** A body, and the media type that says how to read it. */
export interface EncodedBody {
  readonly contentType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const text = new TextEncoder()

/**
 * Takes the tensors, the files and whatever else `isPart` names out of a value, at any depth. The value itself is left
 * as it is.
 *
 * @throws {TypeError} where the value has too many levels, or holds itself.
 */
export function takeApart<Value = never>(
  value: unknown,
  isPart: (value: object) => value is Value & object = isNothing,
): TakenApart<Tensor | FileValue | Value> {
  const parts: TakenPart<Tensor | FileValue | Value>[] = []
  return { rest: visit(value, '', 0), parts }

  function visit(member: unknown, pointer: string, level: number): unknown {
    if (typeof member !== 'object' || member === null) return member
    if (isTensor(member) || isFileValue(member) || isPart(member)) {
      parts.push({ pointer, value: member })
      return null
    }
    if (level === maxLevels) throw new TypeError(`A value of more than ${maxLevels} levels cannot be sent.`)
    if (Array.isArray(member)) return member.map((item, index) => within(item, pointer, index, level))
    if ('toJSON' in member || ArrayBuffer.isView(member)) return member
    const members = Object.entries(member)
    return Object.fromEntries(members.map(([name, item]) => [name, within(item, pointer, name, level)]))
  }

  // Most of what is in large inputs are numbers, for which no pointer need be made.
  function within(item: unknown, pointer: string, name: string | number, level: number): unknown {
    return typeof item === 'object' ? visit(item, `${pointer}/${encodeName(String(name))}`, level + 1) : item
  }
}

function isNothing(_: object): _ is never {
  return false
}

function encodeName(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}

/**
 * Writes `multipart/form-data` (RFC 7578) of a value that was taken apart: a first part without a name holds the rest
 * as JSON, and each of the others is named by the place that it fills. A file's part has its media type and name, a
 * tensor's the media type of {@link tensorMediaType}.
 */
export function writeForm({ rest, parts }: TakenApart<Tensor | FileValue>): EncodedBody {
  const boundary = `isoplex-${crypto.getRandomValues(new Uint8Array(12)).join('-')}`
  const pieces: Uint8Array[] = []
  const add = (name: string, contentType: string, bytes: Uint8Array): void => {
    pieces.push(
      text.encode(
        `--${boundary}\r\nContent-Disposition: form-data; name=${name}\r\nContent-Type: ${contentType}\r\n\r\n`,
      ),
      bytes,
      text.encode('\r\n'),
    )
  }
  add('""', 'application/json', text.encode(JSON.stringify(rest)))
  for (const { pointer, value } of parts) {
    if (isTensor(value)) add(`"${pointer}"`, tensorMediaType(value), tensorBody(value))
    else add(`"${pointer}"${fileNameOf(value)}`, value.mediaType, value.bytes)
  }
  pieces.push(text.encode(`--${boundary}--\r\n`))
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: concat(pieces) }
}

/** A file's name as a parameter, as browsers write it. */
function fileNameOf({ name }: FileValue): string {
  if (name === null) return ''
  const written = name.replaceAll('\\', '\\\\').replace(/[\r\n"]/g, encodeURIComponent)
  return `; filename="${written}"`
}

/** Bytes one after the other. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}
