import type { ClusterJobOrder, ClusterJobStatus, JobCluster } from '../../runtime/deploy/job-cluster.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { askDashboard } from './dashboard.ts'
import { tailLog } from './job-log.ts'

const readTimeoutMs = 15_000
/** The first job after a start is waited for by Ray until its agents are there. */
const submitTimeoutMs = 60_000
const longestQuote = 600

/** How Ray says where a job stands. */
const states: Readonly<Record<string, ClusterJobStatus['state']>> = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  STOPPED: 'stopped',
}

/**
 * Makes a client of the Ray Jobs REST interface.
 *
 * @param address that of the dashboard, such as `http://127.0.0.1:8265`
 */
export function createRayJobsClient(address: string): JobCluster {
  return new RayJobsClient(address)
}

class RayJobsClient implements JobCluster {
  readonly #address: string

  constructor(address: string) {
    this.#address = address.replace(/\/+$/, '')
  }

  async submit(order: ClusterJobOrder, signal?: AbortSignal): Promise<string> {
    const { entrypoint, environment, workingDirectory, metadata, resources } = order
    const { cpus, gpus, memoryBytes } = resources
    const reply = await this.#fetch('/api/jobs/', submitTimeoutMs, signal, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        entrypoint,
        metadata,
        runtime_env: {
          env_vars: environment,
          ...(workingDirectory !== null && { working_dir: workingDirectory }),
        },
        ...(cpus !== undefined && { entrypoint_num_cpus: cpus }),
        ...(gpus !== undefined && { entrypoint_num_gpus: gpus }),
        ...(memoryBytes !== undefined && { entrypoint_memory: memoryBytes }),
      }),
    })
    const text = await reply.text()
    if (!reply.ok) throw refused(this.#address, reply.status, text)
    const { submission_id } = this.#parse(text)
    if (typeof submission_id === 'string' && submission_id !== '') return submission_id
    throw this.#unreachable('it takes the job, and does not say under which id')
  }

  async status(jobId: string, signal?: AbortSignal): Promise<ClusterJobStatus> {
    const { status, message } = await this.#ask(jobId, '', signal)
    const state = states[String(status)]
    if (state === undefined) throw this.#unreachable('it tells of the job in words that are not known')
    return Object.freeze({ state, message: typeof message === 'string' ? message : '' })
  }

  async stop(jobId: string): Promise<void> {
    await this.#ask(jobId, '/stop', undefined, { method: 'POST' })
  }

  logs(jobId: string, signal?: AbortSignal): AsyncIterable<string> {
    return tailLog({
      url: `${this.#address.replace(/^http/, 'ws')}/api/jobs/${encodeURIComponent(jobId)}/logs/tail`,
      status: () => this.status(jobId, signal),
      whole: async () => String((await this.#ask(jobId, '/logs', signal)).logs ?? ''),
      signal,
    })
  }

  async #ask(
    jobId: string,
    path: string,
    signal: AbortSignal | undefined,
    init: RequestInit = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const place = `/api/jobs/${encodeURIComponent(jobId)}${path}`
    const reply = await this.#fetch(place, readTimeoutMs, signal, init)
    const text = await reply.text()
    if (reply.ok) return this.#parse(text)
    if (reply.status === 404) {
      throw new IsoplexError(
        'JOB_NOT_FOUND',
        `The Ray cluster at ${this.#address} knows no job ${jobId} (any more).`,
      )
    }
    throw this.#unreachable(`${place} answers ${reply.status}: ${quote(text)}`)
  }

  #parse(text: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
    } catch {
      // Said below: it is no JSON.
    }
    throw this.#unreachable('it answers, but not as the dashboard of Ray does')
  }

  #fetch(
    path: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    init: RequestInit,
  ): Promise<Response> {
    return askDashboard({
      url: this.#address + path,
      init,
      timeoutMs,
      signal,
      interrupted: 'The command was interrupted.',
      unreachable: (reason, cause) => this.#unreachable(reason, cause),
    })
  }

  #unreachable(reason: string, cause?: unknown): IsoplexError<'CLUSTER_UNREACHABLE'> {
    const message = `No Ray cluster takes jobs at ${this.#address} (${reason}); name the address of its dashboard, such as http://127.0.0.1:8265.`
    return new IsoplexError('CLUSTER_UNREACHABLE', message, { cause })
  }
}

function refused(address: string, status: number, text: string): IsoplexError<'CLUSTER_UNFIT'> {
  const message = `The Ray cluster at ${address} refuses the job (${status}): ${quote(text)}`
  return new IsoplexError('CLUSTER_UNFIT', message)
}

function quote(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(-longestQuote)
}
