import { IsoplexError } from '../error/error.ts'
import { concat } from '../runner/form-parts.ts'

/** Who reads a reply: how much of it, and until when. */
export interface ReplyReading {
  readonly requestId: string
  readonly signal: AbortSignal
  /** The most bytes of a whole reply, and of one item of a stream. */
  readonly maxBytes: number
}

/**
 * Reads the chunks of a reply as they come. Whoever stops reading ends the reply.
 *
 * @throws {IsoplexError} `FETCH_FAILED` where the reply breaks off; the reason of the signal once that has fired.
 */
export async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  { signal, requestId }: ReplyReading,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    throw new IsoplexError('FETCH_FAILED', 'The reply broke off before its end.', {
      details: { reason: 'cut-off' },
      cause,
      requestId,
    })
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

/** Reads a whole reply. @throws {IsoplexError} `FETCH_FAILED` as {@link chunksOf}, or where it is too large. */
export async function bytesOf(
  body: ReadableStream<Uint8Array> | null,
  reading: ReplyReading,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  if (body) {
    for await (const chunk of chunksOf(body, reading)) {
      length += chunk.length
      if (length > reading.maxBytes) throw tooLarge(reading)
      chunks.push(chunk)
    }
  }
  return concat(chunks)
}

/** The error for a reply, or an item of a stream, of more bytes than a client takes. */
export function tooLarge(reading: ReplyReading): IsoplexError<'FETCH_FAILED'> {
  return senseless(
    `is larger than ${reading.maxBytes} bytes; raise "maxReplyBytes" if that is expected`,
    reading,
  )
}

/** The error for a reply that is not what it says it is. */
export function senseless(
  what: string,
  { requestId }: Pick<ReplyReading, 'requestId'>,
  cause?: unknown,
): IsoplexError<'FETCH_FAILED'> {
  const message = `The server's reply ${what}.`
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'content' }, cause, requestId })
}
