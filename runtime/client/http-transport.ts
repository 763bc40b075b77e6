import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { failureOf } from './problem.ts'
import type { ReplyReading } from './reply-bytes.ts'
import { type ReplyValue, readReply } from './reply-value.ts'
import type { Outcome } from './retry.ts'

/** What makes requests: the `fetch` of the platform, or one of that form. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** One request as it goes over HTTP. */
export interface HttpRequest {
  readonly method: string
  /** The whole address. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer> | null
}

/** A reply that was read, and its headers. */
export interface HttpReply extends ReplyValue {
  readonly headers: Headers
}

/**
 * Sends a request once and reads the reply. It is never sent to another address than this one, since it may carry a token. What goes wrong is
 * a failure; only the end of the call, by its caller or its time, is thrown.
 */
export async function exchangeOnce(
  fetch: Fetch,
  { method, url, headers, body }: HttpRequest,
  reading: ReplyReading,
): Promise<Outcome<HttpReply>> {
  const { signal, requestId } = reading
  try {
    const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
    if (!response.ok) return await failureOf(response, reading)
    const { value, streams } = await readReply(response, reading)
    return { value: { value, streams, headers: response.headers } }
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    if (isIsoplexError(cause)) return { error: cause, retryAfterMs: null }
    const message = `There is no connection to ${new URL(url).origin}, or the server does not let this page call it.`
    const error = new IsoplexError('FETCH_FAILED', message, {
      details: { reason: 'connection' },
      cause,
      requestId,
    })
    return { error, retryAfterMs: null }
  }
}
