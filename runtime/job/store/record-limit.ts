import { IsoplexError } from '../../error/error.ts'

/**
 * Holds what a job leaves to a limit.
 *
 * @param what what is too large, as the message calls it: `the record of the step "fetch"`
 * @param wayOut what to do about it
 * @throws {IsoplexError} `JOB_TOO_LARGE`
 */
export function assertWithin(bytes: number, limitBytes: number, what: string, wayOut: string): void {
  if (bytes <= limitBytes) return
  throw new IsoplexError(
    'JOB_TOO_LARGE',
    `${what} comes to ${bytes} bytes, and there is room for ${limitBytes}; ${wayOut}.`,
    { details: { limitBytes } },
  )
}

/** Bytes of a text. */
export function countBytes(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text)
}
