import { join } from 'node:path'
import type { TSchema } from '@sinclair/typebox'
import { createEncoder, isAsyncIterable } from '../../runner/encoder.ts'
import type { RequestHead } from '../../runner/head.ts'
import type { JobEnd } from '../store.ts'
import { writeScratchFile } from './scratch-file.ts'

/** How the result of a job is written. */
export interface ResultWriterOptions {
  /** Holds the result, or each item of a streamed one; `undefined` where nothing does. */
  readonly schema: TSchema | undefined
  /** A folder that is this job's alone. */
  readonly directory: string
  /** Ends a streamed result: what it fires with is thrown. */
  readonly signal: AbortSignal
  /** The most that the result may come to, in bytes. */
  readonly maxBytes: number
}

/** Holds what an action returns to its schema and writes it to a file; `null` where it returned nothing. */
export type ResultWriter = (result: unknown) => Promise<JobEnd['result']>

/** A result is kept for whoever asks for it later: nobody has said what they would rather have. */
const anybody: RequestHead = Object.freeze({
  requestId: '',
  principal: '',
  method: 'POST',
  url: '/',
  params: Object.freeze({}),
  contentType: null,
  accept: null,
  headers: Object.freeze([]),
})

/**
 * Makes what writes the result of a job: a value as JSON, with files and tensors in their JSON forms, a file by itself
 * as its bytes, an async iterable as lines of JSON, one at a time.
 *
 * The writer throws `OUTPUT_INVALID` where the result, or an item, does not fit, `JOB_TOO_LARGE`, `STORAGE_FULL`, a `TypeError` where
 * JSON cannot carry it, and whatever a streamed result throws.
 */
export function createResultWriter(options: ResultWriterOptions): ResultWriter {
  const { schema, directory, signal, maxBytes } = options
  const encode = createEncoder({ output: schema })
  const path = join(directory, 'result')
  return async (result) => {
    if (!isAsyncIterable(result)) {
      const { head, body } = encode(result, anybody)
      if (head.status === 204) return null
      await writeScratchFile(path, piecesOf(body), maxBytes)
      return { path, form: 'value', mediaType: mediaTypeOf(head.headers), count: 1 }
    }
    let count = 0
    const { head, body } = encode(
      counted(result, signal, () => (count += 1)),
      anybody,
    )
    await writeScratchFile(path, piecesOf(body), maxBytes)
    return { path, form: 'lines', mediaType: mediaTypeOf(head.headers), count }
  }
}

async function* counted(
  items: AsyncIterable<unknown>,
  signal: AbortSignal,
  count: () => void,
): AsyncGenerator<unknown> {
  for await (const item of items) {
    signal.throwIfAborted()
    count()
    yield item
  }
}

function piecesOf(
  body: ReturnType<ReturnType<typeof createEncoder>>['body'],
): AsyncIterable<Uint8Array> | readonly (string | Uint8Array)[] {
  return typeof body === 'string' || body instanceof Uint8Array ? [body] : body
}

function mediaTypeOf(headers: readonly (readonly [string, string])[]): string {
  const [, value = 'application/octet-stream'] = headers.find(([name]) => name === 'content-type') ?? []
  return value
}
