import { IsoplexError } from '../error/error.ts'
import type { JobStore } from '../job/store.ts'
import { ServiceThread, ThreadDeathError } from '../thread/service-thread.ts'
import type { JobsData } from './job-settings.ts'
import type { JobsMethods } from './jobs.ts'

/**
 * Makes the job store of a thread, which the first question starts. Databases block their thread, and what opens them
 * costs every start of a server that has no jobs. A store whose thread has died is away until the next question.
 *
 * @param entry the file that the thread runs; the jobs' own where it is not given
 */
export function createThreadJobStore(
  data: JobsData,
  entry: URL = new URL('./jobs.ts', import.meta.url),
): JobStore {
  let thread: ServiceThread<JobsMethods> | null = null
  let closed = false
  const ask = async <Name extends keyof JobStore>(
    method: Name,
    ...parameters: Parameters<JobStore[Name]>
  ): Promise<Awaited<ReturnType<JobStore[Name]>>> => {
    if (closed) throw stopping()
    thread ??= new ServiceThread<JobsMethods>(entry, data)
    try {
      return await thread.ask(method, ...parameters)
    } catch (error) {
      throw error instanceof ThreadDeathError ? died(error) : error
    }
  }
  return Object.freeze<JobStore>({
    submit: async (job, limits) => ask('submit', job, limits),
    get: async (id, viewer) => ask('get', id, viewer),
    list: async (query) => ask('list', query),
    events: async (id, afterSeq, limit) => ask('events', id, afterSeq, limit),
    read: async (id, content, offset, maxBytes) => ask('read', id, content, offset, maxBytes),
    cancel: async (id, viewer) => ask('cancel', id, viewer),
    take: async (options) => ask('take', options),
    renew: async (lease, leaseMs) => ask('renew', lease, leaseMs),
    release: async (lease, how) => ask('release', lease, how),
    beginStep: async (lease, name) => ask('beginStep', lease, name),
    recordStep: async (lease, record, fields, next) => ask('recordStep', lease, record, fields, next),
    saveCheckpoint: async (lease, value) => ask('saveCheckpoint', lease, value),
    beginRollback: async (lease, end) => ask('beginRollback', lease, end),
    recordRollback: async (lease, step, error) => ask('recordRollback', lease, step, error),
    keepFile: async (lease, file) => ask('keepFile', lease, file),
    fetch: async (lease, content, path) => ask('fetch', lease, content, path),
    report: async (lease, report) => ask('report', lease, report),
    finish: async (lease, end) => ask('finish', lease, end),
    countQueued: async () => ask('countQueued'),
    sweep: async () => ask('sweep'),
    close: async () => {
      closed = true
      await thread?.ask('close').catch(() => undefined)
      await thread?.close()
    },
  })
}

function died(cause: ThreadDeathError): IsoplexError<'JOB_STORE_UNAVAILABLE'> {
  const message = 'The store of the jobs has broken down and is opened again; jobs that run wait for it.'
  return new IsoplexError('JOB_STORE_UNAVAILABLE', message, {
    cause,
    details: { retryAfterMs: 1_000, reason: 'unreachable' },
  })
}

function stopping(): IsoplexError<'DRAINING'> {
  const message = 'The server is stopping; ask for the job again once it is back, or another server.'
  return new IsoplexError('DRAINING', message, { details: { retryAfterMs: 1_000 } })
}
