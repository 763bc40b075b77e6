import type { ErrorDetails } from '../error/codes.ts'
import { IsoplexError } from '../error/error.ts'

/** Why a token is refused. */
export type TokenInvalidReason = ErrorDetails['TOKEN_INVALID']['reason']

/** The error of a token that is refused. `what` continues "The model token" and repeats nothing of it. */
export function invalidToken(reason: TokenInvalidReason, what: string): IsoplexError<'TOKEN_INVALID'> {
  return new IsoplexError('TOKEN_INVALID', `The model token ${what}.`, { details: { reason } })
}
