import { IsoplexError } from '../error/error.ts'

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const longestShown = 200

/** Whether a value may be a model's id: 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter or digit. */
export function isModelId(value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value)
}

/**
 * Holds a text to be a model's id.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function assertModelId(text: string): void {
  if (isModelId(text)) return
  const words = `is no model id: 1 to 128 letters, digits, ".", "_" and "-", beginning with a letter or a digit`
  throw new IsoplexError('INPUT_INVALID', `${quote(text)} ${words}.`, {
    details: { issues: [{ path: '/id', message: words }] },
  })
}

/** The error of a model that is not there. The name may be any text that somebody sent. */
export function modelNotFound(name: string): IsoplexError<'MODEL_NOT_FOUND'> {
  return new IsoplexError(
    'MODEL_NOT_FOUND',
    `There is no model ${quote(name)}; "isoplex models list" shows those there are.`,
    { details: { model: shorten(name) } },
  )
}

/** The error of a version or an alias that a model does not have. */
export function selectedNotFound(id: string, selected: string | number): IsoplexError<'MODEL_NOT_FOUND'> {
  const what = typeof selected === 'number' ? `version ${selected}` : `alias "${selected}"`
  return new IsoplexError(
    'MODEL_NOT_FOUND',
    `The model "${id}" has no ${what}; "isoplex models show ${id}" shows what it has.`,
    { details: { model: `${id}@${selected}` } },
  )
}

/** The error of a model that a caller may not use or publish. The name may be any text that somebody sent. */
export function modelForbidden(name: string, reason: string): IsoplexError<'MODEL_FORBIDDEN'> {
  return new IsoplexError('MODEL_FORBIDDEN', reason, { details: { model: shorten(name) } })
}

function quote(text: string): string {
  return JSON.stringify(shorten(text))
}

/** The longest name that there may be, an id with an alias, stays whole. */
function shorten(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown).toWellFormed()}…` : text.toWellFormed()
}
