import type { Checker } from '../define/check.ts'
import type { SchemaIssue } from '../error/codes.ts'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'

/** An `INPUT_INVALID` that names one place. */
export function invalidInput(path: string, message: string): AnyIsoplexError {
  return refuseInput([{ path, message }])
}

/** An `INPUT_INVALID` of the places that a schema refuses; `of` is the function whose input it is, where that is called. */
export function refuseInput(issues: readonly SchemaIssue[], of?: string): AnyIsoplexError {
  const input = of === undefined ? 'The input' : `The input of the function "${of}"`
  return new IsoplexError('INPUT_INVALID', `${input} does not fit ${summaryOf(issues)}.`, {
    details: { issues },
  })
}

/** What a refusal says of the value that it refuses. */
export interface RefusedPlace {
  /** What comes before the places. @default nothing */
  readonly prefix?: string
  /** The function that another one calls with the value. @default the function that was asked from outside */
  readonly of?: string
}

/** Refuses an input that does not fit. @throws {IsoplexError} `INPUT_INVALID` */
export function assertFits(checker: Checker, value: unknown, { prefix = '', of }: RefusedPlace = {}): void {
  const issues = checker.issues(value)
  if (issues.length === 0) return
  throw refuseInput(
    issues.map((issue) => ({ ...issue, path: prefix + issue.path })),
    of,
  )
}

/** An `OUTPUT_INVALID` of the places that a schema refuses. */
export function refuseOutput(issues: readonly SchemaIssue[]): AnyIsoplexError {
  return new IsoplexError('OUTPUT_INVALID', `The function's result does not fit ${summaryOf(issues)}.`, {
    details: { issues },
  })
}

/** The JSON pointer (RFC 6901) of a place. */
export function pointerTo(path: readonly (string | number)[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function summaryOf(issues: readonly SchemaIssue[]): string {
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return `at ${first?.path || 'the top'}: ${first?.message}${more}`
}
