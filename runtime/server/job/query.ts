import { IsoplexError } from '../../error/error.ts'
import { type JobState, jobStates } from '../../job/job.ts'
import { isJobId } from '../../job/store/job-id.ts'
import { jobNotFound } from '../../job/store/job-view.ts'
import type { JobQuery } from '../../job/store.ts'
import { invalidInput } from '../../runner/refusal.ts'

const functionNameForm = /^[\w.~[\]/-]{1,256}$/
const fileNameForm = /^(?!\.)[\w.-]{1,128}$/
const usualLimit = 50
const highestLimit = 1_000

/** Refuses what cannot be the id of a job before anybody looks for it. @throws {IsoplexError} `JOB_NOT_FOUND` */
export function assertJobId(text: string | undefined): string {
  if (text !== undefined && isJobId(text)) return text
  throw jobNotFound()
}

/** Refuses what cannot be the name of a file. @throws {IsoplexError} `JOB_NOT_FOUND` */
export function assertFileName(text: string | undefined): string {
  if (text !== undefined && fileNameForm.test(text)) return text
  throw new IsoplexError(
    'JOB_NOT_FOUND',
    'The job has no file of such a name; the job lists those that it has.',
  )
}

/** Which jobs are asked for by the query of a URL. @throws {IsoplexError} `INPUT_INVALID` with each that is no good */
export function readJobQuery(url: URL): Omit<JobQuery, 'viewer'> {
  const query = url.searchParams
  return {
    state: readState(query.get('state')),
    function: readName(query.get('function')),
    before: readBefore(query.get('before')),
    limit: readLimit(query.get('limit')),
  }
}

/**
 * After which event somebody goes on reading: `Last-Event-ID` as clients of server-sent events send it when they come
 * again, else `after` of the query; 0 begins with the first.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function readAfter({ headers, url }: Request): number {
  const lastEventId = headers.get('last-event-id')
  if (lastEventId) return readSeq(lastEventId, '/Last-Event-ID')
  return readSeq(new URL(url).searchParams.get('after') ?? '0', '/after')
}

function readSeq(text: string, path: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw invalidInput(path, 'Expected the number of an event')
}

function readState(text: string | null): JobState | null {
  if (text === null) return null
  const state = jobStates.find((one) => one === text)
  if (state) return state
  throw invalidInput('/state', `Expected one of ${jobStates.join(', ')}`)
}

function readName(text: string | null): string | null {
  if (text === null || functionNameForm.test(text)) return text
  throw invalidInput('/function', 'Expected the name of an action')
}

function readBefore(text: string | null): string | null {
  if (text === null || isJobId(text)) return text
  throw invalidInput('/before', 'Expected the id of a job')
}

function readLimit(text: string | null): number {
  const limit = text === null ? usualLimit : /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= highestLimit) return limit
  throw invalidInput('/limit', `Expected a whole number from 1 to ${highestLimit}`)
}
