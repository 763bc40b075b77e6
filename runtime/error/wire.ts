import { type ErrorCode, errorCodes, isErrorCode } from './codes.ts'
import { type AnyIsoplexError, IsoplexError, isIsoplexError } from './error.ts'
import { errorTitles } from './titles.ts'

/** An error on its way between processes: plain data, no stack, nothing that is not meant for a caller. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly details?: unknown
}

/** An error as `application/problem+json` (RFC 9457). `code` names the row of the table. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly instance?: string
  readonly [member: string]: unknown
}

const hiddenMessage = 'Something went wrong on the server; its log has the cause under this request id.'

/** Makes an error sendable. What is not an `IsoplexError` becomes `INTERNAL` and hides its text. */
export function toWire(error: unknown): WireError {
  if (!isIsoplexError(error)) return { code: 'INTERNAL', message: hiddenMessage }
  return error.details === undefined
    ? { code: error.code, message: error.message }
    : { code: error.code, message: error.message, details: error.details }
}

/**
 * Makes an error of what {@link toWire} made. A code that is not in the table becomes `INTERNAL`, text hidden.
 *
 * @param requestId the id of the request that failed so
 */
export function fromWire(wire: WireError, requestId: string | null = null): AnyIsoplexError {
  if (!isErrorCode(wire.code)) return new IsoplexError('INTERNAL', hiddenMessage, { requestId })
  // The table of codes types details per code; on the wire they are data that `toWire` took from such an error.
  return new IsoplexError(wire.code as 'INPUT_INVALID', wire.message, {
    details: wire.details as never,
    requestId,
  }) as AnyIsoplexError
}

/**
 * The error of a problem document that {@link toProblem} made; `null` where it is none of ours.
 *
 * @param requestId the id of the request that failed so
 */
export function fromProblem(document: unknown, requestId: string | null = null): AnyIsoplexError | null {
  if (typeof document !== 'object' || document === null) return null
  const { type, title, status, detail, code, instance, ...details } = document as Partial<Problem>
  if (!isErrorCode(code)) return null
  const message = String(detail ?? title ?? code)
  const wire = Object.keys(details).length === 0 ? { code, message } : { code, message, details }
  return fromWire(wire, requestId)
}

/** The problem document of an error; details become members of their own, after RFC 9457 section 3.2. */
export function toProblem(error: unknown, instance?: string): Problem {
  const wire = toWire(error)
  const { status } = errorCodes[wire.code]
  return {
    ...(wire.details as Record<string, unknown> | undefined),
    type: 'about:blank',
    title: errorTitles[wire.code],
    status,
    detail: wire.message,
    code: wire.code,
    ...(instance === undefined ? {} : { instance }),
  }
}
