import { jobPath, toJobDocument } from '../../job/document.ts'
import { isEnded, type Job } from '../../job/job.ts'
import type { RequestTiming } from '../../replica/ticket.ts'
import { serverTiming } from '../server-timing.ts'

/** What the reply to a submission says beside the job. */
export interface SubmissionReplyOptions {
  readonly requestId: string
  readonly timing: RequestTiming
  /** Whether the connection is to be closed after it. */
  readonly closing: boolean
  /** Whether the job is new; `false` where the idempotency key stood for one already. */
  readonly created: boolean
  /** How long the job was waited for; `null` where nobody wished it. */
  readonly waitSeconds: number | null
}

/** The reply to a submission: the job as it is, with 200 where it has ended and with 202 (RFC 9110) where not. */
export function submissionReply(job: Job, options: SubmissionReplyOptions): Response {
  const { requestId, timing, closing, created, waitSeconds } = options
  return Response.json(toJobDocument(job), {
    status: isEnded(job.state) ? 200 : 202,
    headers: {
      location: jobPath(job.id),
      'cache-control': 'no-store',
      'x-request-id': requestId,
      'server-timing': serverTiming(timing),
      ...(created ? {} : { 'idempotency-replayed': 'true' }),
      ...(waitSeconds === null ? {} : { 'preference-applied': `wait=${waitSeconds}` }),
      ...(closing ? { connection: 'close' } : {}),
    },
  })
}
