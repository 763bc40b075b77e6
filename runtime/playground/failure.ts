import type { Slot } from './catalog.ts'
import type { Issue } from './fit.ts'
import { isRecord } from './schema.ts'

/** A call that failed, as the page shows it. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly requestId: string | null
  /** What the person at the page can do about it. */
  readonly advice: string
  readonly issues: readonly Issue[]
}

/** What to do, by code. What is not here is said by the message alone. */
const advice: Readonly<Record<string, string>> = {
  TOKEN_MISSING: 'Put a model token into the field at the top; “isoplex token --model ID” makes one.',
  TOKEN_INVALID: 'Put a fresh model token into the field at the top; “isoplex token --model ID” makes one.',
  MODEL_FORBIDDEN: 'Use a token that has a right to this model, or run it on the server.',
  MODEL_NOT_FOUND: 'Check the model that the token names; “isoplex models list” shows those there are.',
  INPUT_INVALID: 'Mend the fields that are marked, and run it again.',
  BODY_TOO_LARGE: 'Send less at a time, or raise the limit in the configuration.',
  FUNCTION_BROKEN: 'Read the log of the server, or the message; the function’s file is at fault.',
  INFERENCE_FAILED: 'The model does not take this input; try an example.',
  OUTPUT_INVALID: 'The function’s result breaks its own schema; its file is at fault.',
  PROVIDER_UNAVAILABLE: 'This browser cannot run it; run it on the server.',
  FETCH_FAILED: 'Check that the server is there, and run it again.',
  ARTIFACT_BROKEN: 'Clear what this page keeps, and run it again; if it stays, the server’s copy is broken.',
  GRANT_INVALID: 'Run it again: a fresh link to the model is fetched.',
  INTERNAL: 'Look up the request id in the log of the server.',
}

const againAdvice = 'Run it again in a moment.'

/** Reads what a call threw. An error that is none of isoplex's says what the browser says. */
export function readFailure(error: unknown): Failure {
  if (!isRecord(error)) return { ...unknownFailure, message: String(error) }
  const code = typeof error.code === 'string' ? error.code : unknownFailure.code
  const details = isRecord(error.details) ? error.details : {}
  return {
    code,
    message: typeof error.message === 'string' ? error.message : 'It failed without a word.',
    requestId: typeof error.requestId === 'string' ? error.requestId : null,
    advice: advice[code] ?? (error.retryable === true ? againAdvice : ''),
    issues: Array.isArray(details.issues) ? details.issues.filter(isIssue) : [],
  }
}

/** Whether a call ended because somebody stopped it. */
export function isCancelled(error: unknown): boolean {
  return isRecord(error) && (error.name === 'AbortError' || error.code === 'CANCELLED')
}

/**
 * The part of a call that a place of a server's error is in, and the place within it: those of the path begin with
 * `/params` and those of the query with `/query`, where the function has such.
 */
export function placeIssue(path: string, has: (slot: Slot) => boolean): { slot: Slot; path: string } {
  for (const slot of ['params', 'query'] as const) {
    if (has(slot) && (path === `/${slot}` || path.startsWith(`/${slot}/`)))
      return { slot, path: path.slice(slot.length + 1) }
  }
  return { slot: 'input', path }
}

const unknownFailure: Failure = Object.freeze({
  code: 'FAILED',
  message: '',
  requestId: null,
  advice: '',
  issues: Object.freeze([]),
})

function isIssue(value: unknown): value is Issue {
  return isRecord(value) && typeof value.path === 'string' && typeof value.message === 'string'
}
