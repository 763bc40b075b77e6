import { isErrorCode } from '../error/codes.ts'
import { IsoplexError } from '../error/error.ts'
import { fromWire } from '../error/wire.ts'
import { bytesOf, type ReplyReading } from './reply-bytes.ts'
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
): Promise<ReturnType<typeof fromWire> | null> {
  const isProblem = /^application\/problem\+json\b/i.test(headers.get('content-type') ?? '')
  if (!isProblem) {
    body?.cancel().catch(() => undefined)
    return null
  }
  const bytes = await bytesOf(body, { ...reading, maxBytes: maxProblemBytes })
  const { type: _, title, status: __, detail, code, instance: ___, ...details } = membersOf(bytes)
  if (!isErrorCode(code)) return null
  const message = String(detail ?? title ?? code)
  const wire = Object.keys(details).length === 0 ? { code, message } : { code, message, details }
  return fromWire(wire, reading.requestId)
}

function membersOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const members: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof members === 'object' && members !== null ? { ...members } : {}
  } catch {
    return {}
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
