import { isIsoplexError } from '../../error/error.ts'
import { isEnded, type Job } from '../../job/job.ts'
import type { JobRequest, JobService } from '../../job/service.ts'
import { type Answer, freshTiming, type RequestTiming } from '../../replica/ticket.ts'
import { authorize } from '../authorization.ts'
import { type BodyLimits, type HeldBody, mayExceed, readBody } from '../body.ts'
import { ConnectionHolds } from '../connection-holds.ts'
import { type ExchangeOptions, type ServedFunction, workOf } from '../exchange.ts'
import { functionReply } from '../function-reply.ts'
import { assertMediaType } from '../media-type.ts'
import { problemReply, requestIdOf } from '../reply.ts'
import { createHeadReader } from '../request-head.ts'
import { readAdmission } from './admission.ts'
import { Audience } from './audience.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { readWait } from './preference.ts'
import { submissionReply } from './submission-reply.ts'

/** What submissions need beside what they share with the requests for functions. */
export interface SubmissionOptions {
  readonly jobs: Pick<JobService, 'submit' | 'wait'>
  /** Fires when the server is about to stop: then nobody is kept waiting. */
  readonly stopping: AbortSignal
}

/** A submission whose body has come. */
interface Received extends Pick<JobRequest, 'principal' | 'credentials' | 'body' | 'idempotencyKey'> {
  readonly request: Request
  readonly requestId: string
  readonly timing: RequestTiming
}

/** What came of it: a job, or a runner's answer that is no admission. */
type Outcome = { readonly job: Job; readonly created: boolean } | { readonly answer: Answer }

/**
 * Makes the handler of an action's requests: authenticate, read the body's bytes, have a runner check the parameters,
 * hand the job over, and wait for its end as long as the client prefers. It never rejects: what goes wrong becomes a
 * problem document.
 */
export function createSubmission(
  served: ServedFunction,
  exchange: ExchangeOptions,
  options: SubmissionOptions,
): (request: Request) => Promise<Response> {
  const { manifest } = served
  const { authorizer, budget, log, tallies } = exchange
  const limits = limitsOf(served, exchange)
  const submit = createSubmitting(served, exchange, options)
  const holds = new ConnectionHolds(exchange.connections)
  return async (request) => {
    const requestId = requestIdOf(request.headers)
    const timing = freshTiming()
    const hold = holds.wait(request)
    let body: HeldBody | null = null
    try {
      const { principal, credentials } = await authorize(request.headers, manifest, authorizer)
      const idempotencyKey = readIdempotencyKey(request.headers)
      if (manifest.accepts.length > 0) assertMediaType(request.headers, manifest)
      body = await readBody(request, limits, budget)
      const caller = { principal, credentials, idempotencyKey }
      const outcome = await submit({ ...caller, body: body.bytes, request, requestId, timing })
      // Whoever waits for the end of a job must not keep others from sending theirs.
      body.release()
      if ('answer' in outcome) {
        const closing = exchange.closing()
        return functionReply(outcome.answer, { method: 'POST', requestId, timing, closing, onEnd: ignore })
      }
      const waitSeconds = readWait(request.headers)
      const job = await waitFor(outcome.job, { request, principal, waitSeconds, ...options })
      const { created } = outcome
      return submissionReply(job, { created, waitSeconds, requestId, timing, closing: exchange.closing() })
    } catch (error) {
      if (!isIsoplexError(error)) log.error('A request failed', { requestId, function: manifest.name, error })
      tallies.rejections.add(isIsoplexError(error) ? error.code : 'INTERNAL')
      const bodyMayFollow = body === null && mayExceed(request.headers, limits.maxBytes)
      return problemReply(error, requestId, exchange.closing() || bodyMayFollow, timing)
    } finally {
      body?.release()
      holds.end(hold)
    }
  }
}

function limitsOf({ manifest }: ServedFunction, { bodyLimits }: ExchangeOptions): BodyLimits {
  const { maxBodyBytes } = manifest
  return { ...bodyLimits, ...(maxBodyBytes === undefined ? {} : { maxBytes: maxBodyBytes }) }
}

/** Makes what has a runner check the parameters of a job, and then hands the job over. */
function createSubmitting(
  { manifest, deployment }: ServedFunction,
  { routePrefix, scheduler }: ExchangeOptions,
  { jobs }: SubmissionOptions,
): (received: Received) => Promise<Outcome> {
  const headOf = createHeadReader(manifest, routePrefix)
  // Bytes that no schema has seen are nobody's to keep.
  const readsBody = manifest.accepts.length > 0
  return async ({ request, requestId, timing, ...caller }) => {
    // The runner's answer is for the server, in whatever form the client takes its own.
    const head = { ...headOf(request, requestId, caller.principal), accept: null }
    const body = readsBody ? caller.body : new Uint8Array()
    const work = workOf({ deployment, model: null, head, body, timing }, { request, ...caller })
    const answer = await scheduler.submit(work)
    if (answer.status !== 200) return { answer }
    const { models } = readAdmission(answer)
    return await jobs.submit({ ...caller, manifest, head, body, models })
  }
}

interface Waiting extends SubmissionOptions {
  readonly request: Request
  readonly principal: string
  readonly waitSeconds: number | null
}

/** The job once it has ended, or as it is when the client has waited long enough. */
async function waitFor(job: Job, { jobs, stopping, request, principal, waitSeconds }: Waiting): Promise<Job> {
  if (waitSeconds === null || isEnded(job.state)) return job
  using audience = new Audience([request.signal, stopping])
  return await jobs.wait(job.id, principal, { timeoutMs: waitSeconds * 1_000, signal: audience.signal })
}

function ignore(): void {}
