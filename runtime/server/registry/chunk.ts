import { IsoplexError } from '../../error/error.ts'
import type { UploadChunk } from '../../model/upload.ts'
import { parseMultipart } from '../../runner/multipart.ts'
import { invalidInput } from '../../runner/refusal.ts'
import { type BodyBudget, readBody } from '../body.ts'
import { parseContentRange } from './byte-range.ts'

/** The largest chunk, in bytes: what clients of Synapse send. */
export const maxChunkBytes = 52_428_800
const formSlackBytes = 65_536
// A chunk may take as long on a slow line as a request's body may not.
const chunkTimeoutMs = 300_000
const maxChunksInFlight = 4

/** Room for the chunks that are on their way, apart from the bodies of requests for functions. */
export const chunkBudgetBytes: number = maxChunksInFlight * (maxChunkBytes + formSlackBytes)

/** A chunk in memory, with the name that the client gave its file. */
export interface HeldChunk {
  readonly chunk: UploadChunk
  readonly fileName: string
  /** The buffer in which the chunk's bytes lie, which is nobody else's. */
  readonly buffer: ArrayBuffer
  /** Gives the memory back to the budget. */
  release(): void
}

/**
 * Reads a chunk of an upload: `multipart/form-data` with one file, and the header `Content-Range: bytes 0-9/20`.
 *
 * @throws {IsoplexError} `MEDIA_TYPE_UNSUPPORTED`, `INPUT_INVALID`, `BODY_TOO_LARGE`, `QUEUE_FULL` where too many are
 * on their way, or what else keeps a body from being read.
 */
export async function readChunk(request: Request, budget: BodyBudget): Promise<HeldChunk> {
  const contentType = request.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data\s*;/i.test(contentType)) throw unsupported()
  const place = parseContentRange(request.headers.get('content-range'))
  if (place === null)
    throw invalidInput('/content-range', 'Expected a header such as Content-Range: bytes 0-9/20')
  const limits = { maxBytes: maxChunkBytes + formSlackBytes, timeoutMs: chunkTimeoutMs }
  const body = await readBody(request, limits, budget)
  try {
    const parts = parseMultipart(contentType, body.bytes)
    const file = parts.find(({ fileName }) => fileName !== null)
    if (file === undefined) throw invalidInput('/file', 'Expected a file')
    if (file.bytes.length !== place.end - place.start || file.bytes.length > maxChunkBytes) {
      throw invalidInput('/file', `Expected the bytes that Content-Range names, at most ${maxChunkBytes}`)
    }
    const { start: startByte, totalBytes } = place
    const named = parts.find(({ name }) => name === 'filename')?.bytes.subarray(0, 255)
    return {
      chunk: { startByte, totalBytes, bytes: file.bytes },
      fileName: new TextDecoder().decode(named ?? new Uint8Array()),
      buffer: body.bytes.buffer,
      release: () => body.release(),
    }
  } catch (error) {
    body.release()
    throw error
  }
}

function unsupported(): IsoplexError<'MEDIA_TYPE_UNSUPPORTED'> {
  return new IsoplexError(
    'MEDIA_TYPE_UNSUPPORTED',
    'A chunk is sent as multipart/form-data with its boundary.',
    {
      details: { accepted: ['multipart/form-data'] },
    },
  )
}
