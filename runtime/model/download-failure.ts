import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { retryAfterMsOf } from './reply-range.ts'

/** What a server refuses, in so many words or by how it answers, it will refuse again. */
const passingReasons: ReadonlySet<string> = new Set(['connection', 'timeout', 'cut-off'])
/** Statuses after which the same request may succeed a moment later. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
/** A wait that nobody who waits for a model would sit through. */
const longestWaitMs = 30_000

/** A try to download that has failed in a way that the next try may not. */
export class PassingFailure extends Error {
  readonly reason: IsoplexError
  /** How long to wait at least, as the server wishes. */
  readonly waitMs: number

  constructor(reason: IsoplexError, waitMs = 0) {
    super(reason.message, { cause: reason })
    this.reason = reason
    this.waitMs = waitMs
  }
}

/** What to make of an error in the middle of a try: one that may pass, or the same. */
export function toPassing(error: unknown): unknown {
  const passes =
    isIsoplexError(error) && error.code === 'FETCH_FAILED' && passingReasons.has(error.details.reason)
  return passes ? new PassingFailure(error) : error
}

/** Makes the error of a status by which a server refuses a download. */
export function statusFailure(status: number, headers: Headers, host: string): Error {
  if (status === 404 || status === 410) {
    return brokenArtifact(
      'not-found',
      `The server "${host}" has no such file (${status}); add it there again.`,
    )
  }
  const failure = new IsoplexError('FETCH_FAILED', `The server "${host}" ${wordsOf(status)}.`, {
    details: { reason: 'status' },
  })
  const waitMs = retryAfterMsOf(headers, Date.now()) ?? 0
  return passing.has(status) && waitMs <= longestWaitMs ? new PassingFailure(failure, waitMs) : failure
}

/** Makes the error of a download whose bytes are not acceptable. */
export function brokenArtifact(reason: string, message: string): IsoplexError<'ARTIFACT_BROKEN'> {
  return new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason } })
}

/** Makes the error of a download that ended too early, or does not fit what was there. */
export function cutOff(host: string, words: string): PassingFailure {
  return new PassingFailure(
    new IsoplexError('FETCH_FAILED', `The server "${host}" ${words}.`, { details: { reason: 'cut-off' } }),
  )
}

function wordsOf(status: number): string {
  if (status === 401 || status === 403) {
    return `refuses the artifact (${status}): the link has expired or gives no right to it; ask again for a fresh link`
  }
  if (status === 429)
    return `refuses the artifact for now (${status}): it is asked too often; try again later`
  return `answers ${status} for the artifact; try again later`
}
