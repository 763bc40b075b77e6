import { toChallenge } from '../auth/bearer.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { toProblem, toWire } from '../error/wire.ts'

/** Codes after which the connection cannot go on: part of the request may still be under way. */
const closingCodes: ReadonlySet<string> = new Set([
  'BODY_TOO_LARGE',
  'UPLOAD_TIMEOUT',
  'REQUEST_MALFORMED',
  'DRAINING',
])

/**
 * The reply to a request that failed: `application/problem+json` (RFC 9457) with the headers that its status
 * asks for. What is not an error of ours is shown as `INTERNAL` with its text hidden.
 */
export function problemReply(
  error: unknown,
  requestId: string,
  extra: Readonly<Record<string, string>> = {},
): Response {
  const problem = toProblem(error, `urn:isoplex:request:${requestId}`)
  return Response.json(problem, {
    status: problem.status,
    headers: {
      ...extra,
      ...headersOf(error),
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      ...(closingCodes.has(problem.code) ? { connection: 'close' } : {}),
    },
  })
}

/** A client's own request id where it is harmless, else a fresh one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id')
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID()
}

/** The error for a path that no function claims. */
export function routeNotFound(pathname: string): IsoplexError<'ROUTE_NOT_FOUND'> {
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
  if (error.code === 'METHOD_NOT_ALLOWED') return { allow: error.details.allow.join(', ') }
  if (error.code === 'QUEUE_FULL' || error.code === 'DRAINING') {
    return { 'retry-after': String(Math.ceil(error.details.retryAfterMs / 1_000)) }
  }
  return {}
}

/** Whether an error is the server's own fault and belongs into its log. */
export function isServerFault(error: unknown): boolean {
  return toWire(error).code === 'INTERNAL'
}
