/** Says that a part of the work is done, and the next one has the whole time again. */
export type GoOn = () => void

/** What work fails with that has taken too long. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * Does work over a network, which may have lost its way and never answer: whoever waits is told after so many
 * milliseconds. The work itself is not ended by that.
 *
 * @throws {DeadlineError} where it takes longer, and whatever the work throws.
 */
export async function withDeadline<Result>(
  deadlineMs: number,
  work: (goOn: GoOn) => Promise<Result>,
): Promise<Result> {
  const { promise: overdue, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${deadlineMs} ms`)), deadlineMs)
  try {
    return await Promise.race([work(() => timer.refresh()), overdue])
  } finally {
    clearTimeout(timer)
  }
}
