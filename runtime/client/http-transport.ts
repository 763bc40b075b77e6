import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { ReplyReading } from '../runner/reply-bytes.ts'
import { failureOf } from './problem.ts'
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

/** Reads a reply that is a success. */
export type ReplyReader<Value> = (response: Response, reading: ReplyReading) => Promise<Value>

/**
 * Sends a request once and reads the reply. It is never sent to another address than this one, since it may carry a token. What goes wrong is
 * a failure; only the end of the call, by its caller or its time, is thrown.
 */
export async function exchangeOnce<Value>(
  fetch: Fetch,
  { method, url, headers, body }: HttpRequest,
  reading: ReplyReading,
  read: ReplyReader<Value>,
): Promise<Outcome<Value>> {
  const { signal, requestId } = reading
  try {
    const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
    if (!response.ok) return await failureOf(response, reading)
    return { value: await read(response, reading) }
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
