import { type AnyIsoplexError, IsoplexError, isIsoplexError } from '../error/error.ts'

/** What did not come up, and where its developer reads why. */
export interface FailedLoad {
  /** The function's name. */
  readonly name: string
  /** The model's id; `null` for a function without one. */
  readonly model: string | null
  /** In words that follow "…; " and precede " has the reason", such as "the server's log". */
  readonly log: string
}

/**
 * What callers are told where a function or its model does not come up. What a function's own code throws is its
 * developer's to read in the log.
 */
export function loadFailure(error: unknown, { name, model, log }: FailedLoad): AnyIsoplexError {
  if (model === null) {
    if (isIsoplexError(error)) return error
    return new IsoplexError(
      'FUNCTION_BROKEN',
      `Function "${name}" failed in its setup; ${log} has the reason.`,
    )
  }
  const isNamed = isIsoplexError(error) && (error.code !== 'MODEL_BROKEN' || error.details.model === model)
  if (isNamed) return error
  // An engine knows a file, and not whose model it is.
  const why = isIsoplexError(error) ? error.message : `${log} has the reason.`
  return new IsoplexError('MODEL_BROKEN', `Function "${name}" could not load model "${model}": ${why}`, {
    details: { model },
  })
}
