import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { bytesWithin } from './bounded-bytes.ts'

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
  reading: ReplyReading,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } catch (cause) {
    throw brokenOff(reading, cause)
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

/** Reads a whole reply. @throws {IsoplexError} `FETCH_FAILED` as {@link chunksOf}, or where it is too large. */
export async function bytesOf(
  body: ReadableStream<Uint8Array> | null,
  reading: ReplyReading,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await bytesWithin({ body }, reading.maxBytes).catch((cause: unknown) => {
    throw brokenOff(reading, cause)
  })
  if (bytes === null) throw tooLarge(reading)
  return bytes
}

/** Why a reply has no more: its reader was told to stop, or it broke off. */
function brokenOff({ signal, requestId }: ReplyReading, cause: unknown): unknown {
  if (signal.aborted) return signal.reason
  if (isIsoplexError(cause)) return cause
  return new IsoplexError('FETCH_FAILED', 'The reply broke off before its end.', {
    details: { reason: 'cut-off' },
    cause,
    requestId,
  })
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
