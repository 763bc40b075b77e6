import { fileValue, isMediaType } from '../define/file-value.ts'
import { isFilledForm, tensorOfLabel, valueOfForm } from './form-value.ts'
import { parseMultipart } from './multipart.ts'
import { bytesOf, type ReplyReading, senseless } from './reply-bytes.ts'
import { readEvents, readLines } from './reply-items.ts'
import { toTensorLabel } from './tensor-media.ts'

/** The media types that a client names in `Accept`; that it takes anything else goes without saying. */
export const acceptedReplies = [
  'application/json',
  'application/octet-stream',
  'multipart/form-data',
  'text/event-stream',
  '*/*;q=0.1',
].join(', ')

/** What a reply held. */
export interface ReplyValue {
  readonly value: unknown
  /** Whether the value is a stream, the rest of which is still to come. */
  readonly streams: boolean
}

/**
 * Reads what a function answered: JSON, a tensor, what holds tensors or files, a stream, a file, or nothing.
 *
 * @throws {IsoplexError} `FETCH_FAILED` where the reply breaks off, or is not what its head says.
 */
export async function readReply(
  { headers, body }: Pick<Response, 'headers'> & { readonly body: ReadableStream<Uint8Array> | null },
  reading: ReplyReading,
): Promise<ReplyValue> {
  const mediaType = mediaTypeOf(headers)
  if (body && mediaType === 'text/event-stream') return { value: readEvents(body, reading), streams: true }
  if (body && mediaType === 'application/x-ndjson') return { value: readLines(body, reading), streams: true }
  return { value: readWhole(headers, await bytesOf(body, reading), reading), streams: false }
}

/**
 * Reads a whole answer of which all bytes are there.
 *
 * @throws {IsoplexError} `FETCH_FAILED` where it is not what its head says.
 */
export function readWhole(
  headers: Headers,
  bytes: Uint8Array<ArrayBuffer>,
  reading: Pick<ReplyReading, 'requestId'>,
): unknown {
  const mediaType = mediaTypeOf(headers)
  try {
    return wholeValue(bytes, headers, mediaType)
  } catch (cause) {
    throw senseless(`is not the ${mediaType.slice(0, 64)} that it says it is`, reading, cause)
  }
}

function mediaTypeOf(headers: Headers): string {
  return headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function wholeValue(bytes: Uint8Array<ArrayBuffer>, headers: Headers, mediaType: string): unknown {
  if (bytes.length === 0 && mediaType === '') return undefined
  const label = toTensorLabel(headers.get('x-tensor-type') ?? '', headers.get('x-tensor-dims') ?? '')
  if (label) return tensorOfLabel(label, bytes, '')
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  }
  if (mediaType === 'multipart/form-data') {
    const parts = parseMultipart(headers.get('content-type') ?? '', bytes)
    if (isFilledForm(parts)) return valueOfForm(parts)
  }
  return fileValue(bytes, isMediaType(mediaType) ? mediaType : 'application/octet-stream')
}
