import { type AnyIsoplexError, isIsoplexError } from '../../runtime/error/error.ts'

/** The error of ours with which a promise fails; any other outcome fails the test. */
export async function errorOf(promise: Promise<unknown>): Promise<AnyIsoplexError> {
  const error = await promise.then(
    () => new Error('Nothing failed.'),
    (reason: unknown) => reason,
  )
  if (isIsoplexError(error)) return error
  throw error
}
