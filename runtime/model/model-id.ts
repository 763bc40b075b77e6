import { IsoplexError } from '../error/error.ts'

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const longestQuoted = 64

/** Whether a text may be a model's id: 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter or digit. */
export function isModelId(text: string): boolean {
  return pattern.test(text)
}

/**
 * Holds a text to be a model's id.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function assertModelId(text: string): void {
  if (isModelId(text)) return
  const words = `is no model id: 1 to 128 letters, digits, ".", "_" and "-", beginning with a letter or a digit`
  throw new IsoplexError('INPUT_INVALID', `${quoteModelId(text)} ${words}.`, {
    details: { issues: [{ path: '/id', message: words }] },
  })
}

/** The error of a model that is not there. The id may be any text that somebody sent. */
export function modelNotFound(modelId: string): IsoplexError<'MODEL_NOT_FOUND'> {
  const model = isModelId(modelId) ? modelId : modelId.slice(0, longestQuoted).toWellFormed()
  return new IsoplexError(
    'MODEL_NOT_FOUND',
    `There is no model ${quoteModelId(modelId)}; "isoplex models list" shows those there are.`,
    { details: { model } },
  )
}

function quoteModelId(text: string): string {
  return JSON.stringify(
    text.length > longestQuoted && !isModelId(text) ? `${text.slice(0, longestQuoted)}…` : text,
  )
}
