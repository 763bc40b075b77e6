import type { CredentialSeals } from '../auth/sealed-credential.ts'
import type { Config } from '../config/config.ts'
import type { Crew } from './crew/crew.ts'
import type { JobModels } from './crew/job-models.ts'
import { sealPurposeOf } from './crew/submitter.ts'
import type { JobFeed } from './feed.ts'
import { isEnded } from './job.ts'
import type { JobRequest, JobService } from './service.ts'
import type { JobStore, NewJob } from './store.ts'

/** What a service is made of. */
export interface JobServiceOptions {
  readonly store: JobStore
  readonly feed: JobFeed
  readonly crew: Pick<Crew, 'wake' | 'cancel'>
  readonly models: JobModels
  readonly seals: CredentialSeals
  readonly limits: Pick<Config, 'maxQueuedJobs' | 'maxJobsPerPrincipal'>
}

/** Makes the service by which callers and operators deal with the jobs of a store, of which a crew runs some here. */
export function createJobService(options: JobServiceOptions): JobService {
  const { store, feed, crew, models, limits } = options
  return Object.freeze<JobService>({
    submit: async (request) => {
      const submitter = {
        credentials: request.credentials,
        models: request.manifest.action?.models ?? [],
        stickyKey: null,
      }
      await Promise.all(request.models.map((modelId) => models.describe(submitter, modelId)))
      const submitted = await store.submit(toNewJob(request, options.seals), limits)
      if (submitted.created) crew.wake()
      return submitted
    },
    get: (id, viewer) => store.get(id, viewer),
    list: (query) => store.list(query),
    wait: async (id, viewer, { timeoutMs, signal }) => {
      const job = await store.get(id, viewer)
      if (isEnded(job.state) || timeoutMs <= 0) return job
      const patience = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      return (await feed.ended(id, patience)) ?? (await store.get(id, viewer))
    },
    watch: async function* (id, viewer, afterSeq, signal) {
      await store.get(id, viewer)
      yield* feed.events(id, afterSeq, signal)
    },
    events: async (id, viewer, afterSeq, limit) => {
      await store.get(id, viewer)
      return store.events(id, afterSeq, limit)
    },
    read: async (id, viewer, content, { offset, maxBytes }) => {
      await store.get(id, viewer)
      return store.read(id, content, offset, maxBytes)
    },
    cancel: async (id, viewer) => {
      const job = await store.cancel(id, viewer)
      crew.cancel(id)
      feed.notice(id)
      return job
    },
  })
}

function toNewJob(request: JobRequest, seals: CredentialSeals): NewJob {
  const { manifest, principal, credentials, head, body, models, idempotencyKey } = request
  const job = { function: manifest.name, principal }
  return {
    ...job,
    category: manifest.action?.category ?? null,
    head,
    body,
    credential: credentials && seals.seal(credentials, sealPurposeOf(job)),
    models,
    idempotencyKey,
  }
}
