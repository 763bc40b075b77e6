import { type Job, jobStates } from '../job/job.ts'
import { orAborted } from '../runner/abort-race.ts'
import { senseless } from '../runner/reply-bytes.ts'
import { readReply } from '../runner/reply-value.ts'
import type { Deadline } from './deadline.ts'
import type { ClientFacts } from './errand.ts'
import { freshId } from './fresh-id.ts'
import { exchangeOnce, type ReplyReader } from './http-transport.ts'
import { withRetries } from './retry.ts'

/** A question about jobs. Each may be asked twice: cancelling a job again changes nothing. */
export interface JobRequest<Value> {
  /** @default 'GET' */
  readonly method?: 'GET' | 'DELETE'
  /** With its query; what comes after `/-/jobs`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly read: ReplyReader<Value>
}

/** Asks a server about jobs: again where that may help, and with another token where this one has expired. */
export function askJobs<Value>(
  { baseUrl, fetch, tokens, retries, maxReplyBytes: maxBytes }: ClientFacts,
  { method = 'GET', path, headers, read }: JobRequest<Value>,
  deadline: Pick<Deadline, 'signal' | 'leftMs'>,
): Promise<Value> {
  const { signal } = deadline
  const requestId = freshId()
  const exchange = (token: string | null): Promise<Value> => {
    const request = {
      method,
      url: `${baseUrl}/-/jobs${path}`,
      headers: {
        'x-request-id': requestId,
        ...(token === null ? {} : { serve_multiplexed_model_id: token }),
        ...headers,
      },
      body: null,
    }
    return withRetries(() => exchangeOnce(fetch, request, { requestId, signal, maxBytes }, read), {
      retries,
      deadline,
    })
  }
  return orAborted(tokens.use(exchange), signal)
}

/** Reads the document of a job. @throws {IsoplexError} `FETCH_FAILED` where the reply is none. */
export const readJob: ReplyReader<Job> = async (response, reading) =>
  toJob((await readReply(response, reading)).value, reading)

/** Checks what came from the network for what a client relies on. Throws as {@link readJob} does. */
export function toJob(value: unknown, reading: { readonly requestId: string }): Job {
  const { id, state } = (value ?? {}) as Partial<Job>
  if (typeof id === 'string' && state && jobStates.includes(state)) return value as Job
  throw senseless('is no job', reading)
}
