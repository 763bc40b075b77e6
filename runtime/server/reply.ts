import { toChallenge } from '../auth/bearer.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { toProblem } from '../error/wire.ts'
import type { RequestTiming } from '../replica/ticket.ts'
import { mayExceed } from './body.ts'
import { serverTiming } from './server-timing.ts'

/** Codes after which the connection cannot go on, whatever was announced of the body. */
const closingCodes: ReadonlySet<string> = new Set([
  'BODY_TOO_LARGE',
  'UPLOAD_TIMEOUT',
  'REQUEST_MALFORMED',
  'DRAINING',
])

/**
 * The reply to a request that failed: `application/problem+json` (RFC 9457) with the headers that its status
 * asks for. What is not an error of ours is shown as `INTERNAL` with its text hidden.
 *
 * @param closing whether the connection is to be closed after it, where the code does not ask for that anyway
 * @param timing where a function's request spent its time
 */
export function problemReply(
  error: unknown,
  requestId: string,
  closing: boolean,
  timing?: RequestTiming,
): Response {
  const problem = toProblem(error, `urn:isoplex:request:${requestId}`)
  return Response.json(problem, {
    status: problem.status,
    headers: {
      ...headersOf(error),
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      ...(timing ? { 'server-timing': serverTiming(timing) } : {}),
      ...(closing || closingCodes.has(problem.code) ? { connection: 'close' } : {}),
    },
  })
}

/** The reply to a request whose body nobody read; after one that may exceed the limit its connection is closed. */
export function refusalReply(error: unknown, { headers }: Request, limitBytes: number): Response {
  return problemReply(error, requestIdOf(headers), mayExceed(headers, limitBytes))
}

/** A reply of JSON that nobody keeps: it may be out of date at once, or be for one reader only. */
export function jsonReply(value: unknown, status = 200): Response {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store' } })
}

/** A client's own request id where it is harmless, else a fresh one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id')
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : freshRequestId()
}

const idPrefix = crypto.randomUUID().replaceAll('-', '')
let idsMade = 0

/** Unique among all processes by the prefix, and within this one by the count. */
function freshRequestId(): string {
  idsMade += 1
  return `${idPrefix}-${idsMade.toString(36)}`
}

/** The error for a path that nothing answers. */
export function routeNotFound({ url }: Request): IsoplexError<'ROUTE_NOT_FOUND'> {
  const { pathname } = new URL(url)
  return new IsoplexError(
    'ROUTE_NOT_FOUND',
    `Nothing answers at ${pathname.slice(0, 256)}; GET /-/routes lists what does.`,
  )
}

function headersOf(error: unknown): Record<string, string> {
  if (!isIsoplexError(error)) return {}
  if (error.code === 'TOKEN_MISSING' || error.code === 'TOKEN_INVALID') {
    return { 'www-authenticate': toChallenge(error) }
  }
  if (error.code === 'ACCESS_REQUIRED') return { 'www-authenticate': 'Bearer realm="isoplex registry"' }
  if (error.code === 'RANGE_UNSATISFIABLE') return { 'content-range': `bytes */${error.details.sizeBytes}` }
  if (error.code === 'METHOD_NOT_ALLOWED') return { allow: error.details.allow.join(', ') }
  if (error.details && 'retryAfterMs' in error.details) {
    return { 'retry-after': String(Math.ceil(error.details.retryAfterMs / 1_000)) }
  }
  return {}
}
