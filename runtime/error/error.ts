import { type DetailsOf, type ErrorCode, type ErrorDetails, errorCodes, isErrorCode } from './codes.ts'

/** What an error may carry besides code and message: details are compulsory where the code has them. */
export type ErrorOptionsOf<Code extends ErrorCode> = ErrorOrigin &
  (Code extends keyof ErrorDetails
    ? { readonly details: ErrorDetails[Code] }
    : { readonly details?: undefined })

/** Where an error comes from. */
interface ErrorOrigin {
  readonly cause?: unknown
  readonly requestId?: string | null
}

type OptionArguments<Code extends ErrorCode> = Code extends keyof ErrorDetails
  ? [options: ErrorOptionsOf<Code>]
  : [options?: ErrorOptionsOf<Code>]

/**
 * The one error class of isoplex: a stable code, a message that says what happened, where and what to do,
 * and details typed by the code. Whatever is shown to a caller is one of these; any other error is shown
 * as `INTERNAL` with its text hidden.
 *
 * @example
 * throw new IsoplexError('INPUT_INVALID', 'The picture is empty; send at least one pixel.', {
 *   details: { issues: [{ path: '/pixels', message: 'is empty' }] },
 * })
 */
export class IsoplexError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'IsoplexError'
  readonly code: Code
  readonly details: DetailsOf<Code>
  /** The id under which a server's log has the request that failed; `null` where the error knows of none. */
  readonly requestId: string | null

  constructor(code: Code, message: string, ...[options]: OptionArguments<Code>) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = Object.freeze(options?.details) as DetailsOf<Code>
    this.requestId = options?.requestId ?? null
  }

  /** The HTTP status of the code. */
  get status(): number {
    return errorCodes[this.code].status
  }

  /** Whether the same request may succeed when it is sent again. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }
}

/** Every error as a union over the codes, so that `switch (error.code)` narrows `error.details`. */
export type AnyIsoplexError = { [Code in ErrorCode]: IsoplexError<Code> }[ErrorCode]

/** Whether a value is an error of ours. It tests by name and code, so that two copies of isoplex agree. */
export function isIsoplexError(value: unknown): value is AnyIsoplexError {
  return value instanceof Error && value.name === 'IsoplexError' && 'code' in value && isErrorCode(value.code)
}
