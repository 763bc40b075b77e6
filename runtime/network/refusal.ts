import type { ErrorDetails } from '../error/codes.ts'
import { IsoplexError } from '../error/error.ts'

/** A URL that may not be fetched. The message must name no more of it than its host: a query may hold a signature. */
export function urlRefused(
  reason: ErrorDetails['URL_REFUSED']['reason'],
  message: string,
): IsoplexError<'URL_REFUSED'> {
  return new IsoplexError('URL_REFUSED', message, { details: { reason } })
}

/** A fetch that was allowed and did not succeed. */
export function fetchFailed(
  reason: ErrorDetails['FETCH_FAILED']['reason'],
  message: string,
  cause?: unknown,
): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError('FETCH_FAILED', message, { details: { reason }, cause })
}
