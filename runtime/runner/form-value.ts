import { fileValue, isMediaType } from '../define/file-value.ts'
import type { Tensor } from '../engine/tensor.ts'
import { parseJson } from './json-text.ts'
import type { FormPart } from './multipart.ts'
import { invalidInput } from './refusal.ts'
import { tensorFromBytes, tensorOfShape } from './tensor-bytes.ts'
import { readTensorMediaType, type TensorLabel } from './tensor-media.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Whether a form's first part is one without a name that holds JSON, which the others fill. */
export function isFilledForm([first]: readonly FormPart[]): boolean {
  return first?.name === '' && first.mediaType === 'application/json'
}

/**
 * Puts a value together again from the parts of a filled form. Each part takes a place that holds `null`.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where the parts do not fit together.
 */
export function valueOfForm([first, ...others]: readonly FormPart[]): unknown {
  const root = jsonOf(first?.bytes ?? new Uint8Array(), '')
  for (const part of others) fill(root, part)
  return root
}

/** Reads a tensor of the bytes that came under its media type. @throws {IsoplexError} `INPUT_INVALID` */
export function tensorOfLabel(
  { type, dims }: TensorLabel,
  bytes: Uint8Array<ArrayBuffer>,
  pointer: string,
): Tensor {
  if (type !== 'string') return tensorFromBytes({ tensorType: type, dims }, bytes, pointer)
  const texts = jsonOf(bytes, pointer)
  if (!Array.isArray(texts)) throw invalidInput(pointer, 'Expected a list of texts')
  return tensorOfShape(type, texts, dims, pointer)
}

function fill(root: unknown, part: FormPart): void {
  const names = part.name.split('/').slice(1).map(decodeName)
  const last = names.pop()
  let holder = root
  for (const name of names) holder = ownMember(holder, name)
  if (last === undefined || ownMember(holder, last) !== null) {
    throw invalidInput(part.name, 'A part of the form names a place that is not there, or is not null')
  }
  const members = holder as Record<string, unknown>
  members[last] = valueOfPart(part)
}

/** A member that an object or array has itself; `undefined` for any other. */
function ownMember(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return undefined
  return holder[name as keyof typeof holder]
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return name
  }
}

function valueOfPart({ name, contentType, mediaType, fileName, bytes }: FormPart): unknown {
  const label = readTensorMediaType(contentType ?? '')
  if (label) return tensorOfLabel(label, bytes, name)
  const known = mediaType !== null && isMediaType(mediaType) ? mediaType : 'application/octet-stream'
  return fileValue(bytes, known, fileName || null)
}

function jsonOf(bytes: Uint8Array, pointer: string): unknown {
  try {
    return parseJson(utf8.decode(bytes))
  } catch {
    throw invalidInput(pointer, 'Expected JSON')
  }
}
