import { IsoplexError } from '../../error/error.ts'

const maxKeyLength = 512
const form = /^[\w-]{1,128}(?:\/[\w-]{1,128})*$/

/** Whether a text has the form of a key: nothing else on a shelf is a content. */
export function isContentKey(text: string): boolean {
  return text.length <= maxKeyLength && form.test(text)
}

/**
 * Holds the key of a content to its form, so that none names anything outside its shelf.
 *
 * @throws {TypeError} where it has another.
 */
export function assertContentKey(key: string): void {
  if (isContentKey(key)) return
  throw new TypeError(
    `"key" must be names of letters, digits, "_" and "-" with slashes between; got ${JSON.stringify(key)}.`,
  )
}

/** What is thrown where there is nothing under a key. */
export function missingContent(cause?: unknown): IsoplexError<'JOB_NOT_FOUND'> {
  return new IsoplexError('JOB_NOT_FOUND', 'This content of the job is not there any more.', { cause })
}
