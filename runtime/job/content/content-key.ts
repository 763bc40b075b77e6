import { IsoplexError } from '../../error/error.ts'

const names = /^(?!.{513})[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127})*$/

/**
 * Holds the key of a content to its form, so that none can name anything outside its shelf.
 *
 * @throws {TypeError} where it has another.
 */
export function assertContentKey(key: string): void {
  if (names.test(key)) return
  throw new TypeError(
    `"key" must be names of letters, digits and "_ . -" with slashes between; got ${JSON.stringify(key)}.`,
  )
}

/** Whether a text has the form of a key: a shelf lists no others. */
export function isContentKey(text: string): boolean {
  return names.test(text)
}

/** What is thrown where there is nothing under a key. */
export function missingContent(cause?: unknown): IsoplexError<'JOB_NOT_FOUND'> {
  return new IsoplexError('JOB_NOT_FOUND', 'This content of the job is not there any more.', { cause })
}
