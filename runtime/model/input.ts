import type { SchemaIssue } from '../error/codes.ts'
import { IsoplexError } from '../error/error.ts'

const longestName = 256

/** Whether a value is a text of these many characters at most, none of them a control character. */
export function isPlainText(value: unknown, maxLength: number): value is string {
  return (
    typeof value === 'string' && value.length <= maxLength && value.isWellFormed() && !/\p{Cc}/u.test(value)
  )
}

/**
 * Whether a value can name a tenant or an actor: 1 to 256 characters, none of them a control character. These are
 * the bounds that the claims of tokens have.
 */
export function isName(value: unknown): value is string {
  return isPlainText(value, longestName) && value !== ''
}

/** What {@link isName} asks for, to follow "must be". */
export const nameRule: string = `a text of 1 to ${longestName} characters without control characters`

/** Whether a value is an integer that counts from 1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1
}

/** Something that an input has to be: the JSON pointer of the place, whether it is, and what it must be. */
export type InputCheck = readonly [path: string, fits: boolean, mustBe: string]

/**
 * Holds an input to its bounds, and tells all of those that it does not keep.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function assertInput(...checks: readonly InputCheck[]): void {
  const issues = checks
    .filter(([, fits]) => !fits)
    .map(([path, , mustBe]) => ({ path, message: `must be ${mustBe}` }))
  if (issues.length > 0) throw inputInvalid(issues)
}

/** The error of an input that cannot be taken, which says what all the issues say. */
export function inputInvalid(issues: readonly SchemaIssue[]): IsoplexError<'INPUT_INVALID'> {
  const message = issues.map((issue) => `"${issue.path.slice(1)}" ${issue.message}`).join('; ')
  return new IsoplexError('INPUT_INVALID', `${message}.`, { details: { issues } })
}
