import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCredentials } from '../../runtime/auth/credentials.ts'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../runtime/auth/sealed-credential.ts'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { sealPurposeOf } from '../../runtime/job/crew/submitter.ts'
import { JobFeed } from '../../runtime/job/feed.ts'
import { createJobService } from '../../runtime/job/job-service.ts'
import type { JobRequest, JobService } from '../../runtime/job/service.ts'
import { newJob, storeKinds, type TestStore, take } from './store/test-store.ts'

const sqlite = storeKinds.find(({ name }) => name === 'SQLite')
const never = new AbortController().signal
const seals = createCredentialSeals([await createProjectKey(new Uint8Array(32).fill(1))])
const credentials = createCredentials({
  modelId: 'digits',
  tenant: 'acme',
  accessToken: 'a secret',
  issuer: 'project',
  proven: true,
  expiresAtMs: 1_000,
})
const manifest: FunctionManifest = {
  name: 'work',
  file: 'functions/work.ts',
  route: '/work',
  path: '/work',
  kind: 'action',
  methods: ['POST'],
  bundle: 'work.js',
  sources: [],
  access: 'public',
  runs: ['server'],
  idempotent: true,
  accepts: ['application/json'],
  action: { category: 'neural_net', timeoutMs: null, models: ['free'], weights: {}, steps: [] },
}

let place: TestStore
let feed: JobFeed
let service: JobService
let told: string[]
beforeEach(async () => {
  if (!sqlite) throw new Error('SQLite is always there')
  place = await sqlite.open()
  feed = new JobFeed(place.store, { everyMs: 5 })
  told = []
  service = createJobService({
    store: place.store,
    feed,
    crew: { wake: () => void told.push('wake'), cancel: (id) => void told.push(`cancel ${id}`) },
    models: {
      describe: async (_, modelId) => {
        if (modelId !== 'digits') {
          throw new IsoplexError('MODEL_FORBIDDEN', 'no', { details: { model: modelId } })
        }
        return {}
      },
      prepare: () => Promise.reject(new Error('files are for those who run jobs')),
    },
    seals,
    limits: { maxQueuedJobs: 10, maxJobsPerPrincipal: 10 },
  })
})
afterEach(async () => {
  feed[Symbol.dispose]()
  await place[Symbol.asyncDispose]()
})

const requestOf = (given: Partial<JobRequest> = {}): JobRequest => {
  const { head, body } = newJob({ principal: 'tenant:acme' })
  const base = { manifest, principal: 'tenant:acme', credentials, models: ['digits'], idempotencyKey: null }
  return { ...base, head, body, ...given }
}

describe('the service of jobs', () => {
  it('adds a job with its credential sealed, and wakes the crew', async () => {
    const { job, created } = await service.submit(requestOf())
    expect(job).toMatchObject({ function: 'work', category: 'neural_net', principal: 'tenant:acme' })
    expect([created, told]).toEqual([true, ['wake']])
    const { credential } = await take(place.store)
    expect(Buffer.from(credential ?? []).includes('a secret')).toBe(false)
    expect(seals.open(credential ?? new Uint8Array(), sealPurposeOf(job))).toEqual(credentials)
  })

  it('adds one without a token, and wakes nobody for one that was there', async () => {
    const first = await service.submit(requestOf({ credentials: null, idempotencyKey: 'once' }))
    const again = await service.submit(requestOf({ credentials: null, idempotencyKey: 'once' }))
    expect(again).toMatchObject({ created: false, job: { id: first.job.id } })
    expect(told).toEqual(['wake'])
    expect((await take(place.store)).credential).toBeNull()
  })

  it('adds none where there is no right to one of its models', async () => {
    await expect(service.submit(requestOf({ models: ['digits', 'other'] }))).rejects.toMatchObject({
      code: 'MODEL_FORBIDDEN',
    })
    const query = { viewer: null, state: null, function: null, before: null, limit: 10 }
    expect(await service.list(query)).toEqual([])
    expect(told).toEqual([])
  })

  it('waits for a job as long as it is told, or somebody waits', async () => {
    const { job } = await service.submit(requestOf())
    const viewer = 'tenant:acme'
    expect(await service.wait(job.id, viewer, { timeoutMs: 0, signal: never })).toMatchObject({
      state: 'queued',
    })
    expect(await service.wait(job.id, viewer, { timeoutMs: 20, signal: never })).toMatchObject({
      state: 'queued',
    })
    const gone = new AbortController()
    const leaving = service.wait(job.id, viewer, { timeoutMs: 1e6, signal: gone.signal })
    gone.abort()
    expect(await leaving).toMatchObject({ state: 'queued' })
    const waiting = service.wait(job.id, viewer, { timeoutMs: 1e6, signal: never })
    await service.cancel(job.id, viewer)
    expect(await waiting).toMatchObject({ state: 'cancelled' })
    expect(told).toEqual(['wake', `cancel ${job.id}`])
  })

  it('shows a job to who submitted it and to operators, and to nobody else', async () => {
    const { job } = await service.submit(requestOf())
    const content = { kind: 'input' } as const
    const range = { offset: 0, maxBytes: 100 }
    for (const viewer of ['tenant:acme', null]) {
      expect((await service.read(job.id, viewer, content, range)).totalBytes).toBe(11)
      expect(await service.events(job.id, viewer, 0, 10)).toHaveLength(1)
    }
    const other = 'tenant:other'
    for (const asked of [
      service.get(job.id, other),
      service.wait(job.id, other, { timeoutMs: 1, signal: never }),
      service.read(job.id, other, content, range),
      service.events(job.id, other, 0, 10),
      service.cancel(job.id, other),
      Array.fromAsync(service.watch(job.id, other, 0, never)),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    }
    expect(told).toEqual(['wake'])
  })
})
