import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { fromProblem } from '../error/wire.ts'
import { bytesOf, type ReplyReading } from '../runner/reply-bytes.ts'
import type { Failure } from './retry.ts'

/** The most bytes that are read of what says why a request failed. */
const maxProblemBytes = 1024 * 1024

/** What a reply that is no success means: the error of its problem document (RFC 9457), or its bare status. */
export async function failureOf(response: Response, reading: ReplyReading): Promise<Failure> {
  const error = (await problemOf(response, reading)) ?? statusError(response, reading)
  const { details } = error
  const asked = details && 'retryAfterMs' in details ? details.retryAfterMs : null
  return { error, retryAfterMs: Number.isFinite(asked) ? asked : retryAfterOf(response.headers) }
}

async function problemOf(
  { headers, body }: Response,
  reading: ReplyReading,
): Promise<AnyIsoplexError | null> {
  const isProblem = /^application\/problem\+json\b/i.test(headers.get('content-type') ?? '')
  if (!isProblem) {
    body?.cancel().catch(() => undefined)
    return null
  }
  const bytes = await bytesOf(body, { ...reading, maxBytes: maxProblemBytes })
  return fromProblem(parse(bytes), reading.requestId)
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

function statusError({ status, type }: Response, { requestId }: ReplyReading): IsoplexError<'FETCH_FAILED'> {
  const redirects = type === 'opaqueredirect' || (status >= 300 && status < 400)
  const message = redirects
    ? 'The server sends calls elsewhere, where the token must not go; give the final address as "baseUrl".'
    : `The server answered with the status ${status} and no reason.`
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'status', status }, requestId })
}

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfterOf(headers: Headers): number | null {
  const text = headers.get('retry-after') ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  const afterMs = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) - Date.now() : Number.NaN
  return Number.isNaN(afterMs) ? null : Math.max(0, afterMs)
}
