import { type FileValue, fileValue, isMediaType } from '../define/file-value.ts'
import { isTensor, type Tensor } from '../engine/tensor.ts'
import { type EncodedBody, takeApart, writeForm } from './form-parts.ts'
import { tensorBody, tensorMediaType } from './tensor-media.ts'

/**
 * Writes an input as a request carries it: a tensor and a file as their bytes, what holds tensors or files as a form,
 * anything else as JSON; `null` where there is no input.
 *
 * @throws {TypeError} where JSON cannot carry it.
 */
export async function encodeInput(input: unknown): Promise<EncodedBody | null> {
  if (input === undefined) return null
  const { rest, parts } = takeApart(input, isBlob)
  const read = await Promise.all(
    parts.map(async ({ pointer, value }) => ({
      pointer,
      value: value instanceof Blob ? await fileOf(value) : value,
    })),
  )
  const [first] = read
  if (!first) return jsonBody(rest)
  return first.pointer === '' ? rawBody(first.value) : writeForm({ rest, parts: read })
}

function rawBody(value: Tensor | FileValue): EncodedBody {
  if (!isTensor(value)) return { contentType: value.mediaType, bytes: value.bytes }
  if (value.type === 'string') return jsonBody(value)
  return { contentType: tensorMediaType(value), bytes: tensorBody(value) }
}

function jsonBody(value: unknown): EncodedBody {
  const text = JSON.stringify(value)
  if (text === undefined)
    throw new TypeError(`"input" must be a value that JSON can carry; got a ${typeof value}.`)
  return { contentType: 'application/json', bytes: new TextEncoder().encode(text) }
}

function isBlob(value: object): value is Blob {
  return value instanceof Blob
}

async function fileOf(blob: Blob): Promise<FileValue> {
  const mediaType = blob.type.split(';', 1)[0]?.trim() ?? ''
  const bytes = new Uint8Array(await blob.arrayBuffer())
  return fileValue(
    bytes,
    isMediaType(mediaType) ? mediaType : 'application/octet-stream',
    blob instanceof File ? blob.name : null,
  )
}
