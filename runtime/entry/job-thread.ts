import { IsoplexError } from '../error/error.ts'
import type { JobStore } from '../job/store.ts'
import { ServiceThread } from '../thread/service-thread.ts'
import type { JobsData } from './job-settings.ts'
import type { JobsMethods } from './jobs.ts'

/**
 * Makes the job store of a thread, which the first question starts. Databases block their thread, and what opens them
 * costs every start of a server that has no jobs.
 */
export function createThreadJobStore(data: JobsData): JobStore {
  let thread: ServiceThread<JobsMethods> | null = null
  let closed = false
  const asked = (): ServiceThread<JobsMethods> => {
    if (closed) throw stopping()
    thread ??= new ServiceThread<JobsMethods>(new URL('./jobs.ts', import.meta.url), data)
    return thread
  }
  return Object.freeze<JobStore>({
    submit: async (job, limits) => asked().ask('submit', job, limits),
    get: async (id, viewer) => asked().ask('get', id, viewer),
    list: async (query) => asked().ask('list', query),
    events: async (id, afterSeq, limit) => asked().ask('events', id, afterSeq, limit),
    read: async (id, content, offset, maxBytes) => asked().ask('read', id, content, offset, maxBytes),
    cancel: async (id, viewer) => asked().ask('cancel', id, viewer),
    take: async (options) => asked().ask('take', options),
    renew: async (lease, leaseMs) => asked().ask('renew', lease, leaseMs),
    release: async (lease, how) => asked().ask('release', lease, how),
    beginStep: async (lease, name) => asked().ask('beginStep', lease, name),
    recordStep: async (lease, record, fields, next) => asked().ask('recordStep', lease, record, fields, next),
    saveCheckpoint: async (lease, value) => asked().ask('saveCheckpoint', lease, value),
    beginRollback: async (lease, end) => asked().ask('beginRollback', lease, end),
    recordRollback: async (lease, step, error) => asked().ask('recordRollback', lease, step, error),
    keepFile: async (lease, file) => asked().ask('keepFile', lease, file),
    fetch: async (lease, content, path) => asked().ask('fetch', lease, content, path),
    report: async (lease, report) => asked().ask('report', lease, report),
    finish: async (lease, end) => asked().ask('finish', lease, end),
    countQueued: async () => asked().ask('countQueued'),
    sweep: async () => asked().ask('sweep'),
    close: async () => {
      closed = true
      await thread?.ask('close').catch(() => undefined)
      await thread?.close()
    },
  })
}

function stopping(): IsoplexError<'DRAINING'> {
  const message = 'The server is stopping; ask for the job again once it is back, or another server.'
  return new IsoplexError('DRAINING', message, { details: { retryAfterMs: 1_000 } })
}
