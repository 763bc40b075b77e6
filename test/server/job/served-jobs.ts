import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { createCredentials } from '../../../runtime/auth/credentials.ts'
import { createProjectKey } from '../../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../../runtime/auth/sealed-credential.ts'
import type { TokenVerifier } from '../../../runtime/auth/verifier.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { defineAction, modelId } from '../../../runtime/index.ts'
import { createFolderShelf } from '../../../runtime/job/content/folder-shelf.ts'
import { JobFeed } from '../../../runtime/job/feed.ts'
import { createJobService } from '../../../runtime/job/job-service.ts'
import type { JobService } from '../../../runtime/job/service.ts'
import { openJobStore } from '../../../runtime/job/store/job-store.ts'
import type { JobLimits, JobStore, Lease } from '../../../runtime/job/store.ts'
import type { CheckAccess } from '../../../runtime/server/access.ts'
import { type App, createApp } from '../../../runtime/server/app.ts'
import { identifyByToken } from '../../../runtime/server/job/onlooker.ts'
import { createJobRoutes } from '../../../runtime/server/job/routes.ts'
import { createModelAccess } from '../../../runtime/server/model-access.ts'
import {
  answerWith,
  deploymentOf,
  manifestOf,
  type Surroundings,
  sourceOfEverything,
  surround,
} from '../served.ts'

/** Jobs over HTTP on a store of their own. Nobody runs them but the test. */
export interface ServedJobs extends AsyncDisposable, Surroundings {
  readonly store: JobStore
  readonly service: JobService
  /** Stops the server, as far as those who wait can tell. */
  readonly stopping: AbortController
  call(path: string, init?: RequestInit): Promise<Response>
  /** Submits a job without a token, and gives its id. */
  submit(): Promise<string>
  /** Takes the job that has waited longest. */
  take(): Promise<Lease>
  /** Ends a job with a result of a media type. */
  succeed(lease: Lease, result: string, form?: 'value' | 'lines'): Promise<void>
  /** Gives a job a file. */
  keep(lease: Lease, name: string, content: string | Uint8Array, mediaType: string): Promise<void>
}

/** What differs from test to test. */
export interface ServedJobsOptions {
  readonly limits?: Partial<JobLimits>
  readonly trustsLoopback?: boolean
  readonly access?: 'token' | 'public'
  readonly heartbeatMs?: number
  /** The models that the runner finds among the parameters. */
  readonly models?: readonly string[]
}

const verifier: TokenVerifier = {
  async verify(tenant) {
    const proven = { modelId: 'digits', accessToken: null, issuer: 'project', proven: true }
    return createCredentials({ ...proven, tenant, expiresAtMs: Number.POSITIVE_INFINITY })
  },
}

const checkAccess: CheckAccess = async ({ token }) =>
  token === 'isoplexat_admin' ? { id: 1, tenant: null, models: null, rights: 'admin' } : null

/** A token is the name of its tenant, the access token of an administrator `isoplexat_admin`. */
export async function serveJobs(options: ServedJobsOptions = {}): Promise<ServedJobs> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-served-jobs-'))
  await mkdir(join(directory, 'made'))
  const store = await openStore(directory)
  const feed = new JobFeed(store, { everyMs: 5 })
  const service = await createService(store, feed, options)
  const around = surround(answerWith(JSON.stringify({ models: options.models ?? [] })), {
    authorizer: {
      verifier,
      models: createModelAccess(sourceOfEverything()),
      trustsLoopback: options.trustsLoopback ?? true,
    },
  })
  const stopping = new AbortController()
  const app = createServedApp(around, service, stopping.signal, options)
  const call: ServedJobs['call'] = async (path, init) =>
    await app.fetch(new Request(`http://localhost:3000${path}`, init))
  return {
    ...around,
    ...{ store, service, stopping, call },
    ...createWork(store, join(directory, 'made')),
    async submit() {
      const reply = await call('/v1/evaluate', { method: 'POST', body: '{}' })
      return String((await reply.json()).id)
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      feed[Symbol.dispose]()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function openStore(directory: string): Promise<JobStore> {
  return openJobStore({
    database: { path: join(directory, 'jobs.sqlite') },
    shelf: createFolderShelf(join(directory, 'contents')),
    limits: {
      maxJobEvents: 1_000,
      maxJobBytes: 10_000_000,
      maxJobRecordBytes: 65_536,
      jobRetentionMs: 60_000,
    },
  })
}

async function createService(
  store: JobStore,
  feed: JobFeed,
  { limits }: ServedJobsOptions,
): Promise<JobService> {
  return createJobService({
    store,
    feed,
    crew: { wake: () => undefined, cancel: () => undefined },
    models: {
      async describe(_, id) {
        if (id !== 'secret') return { id }
        throw new IsoplexError('MODEL_FORBIDDEN', 'No.', { details: { model: id } })
      },
      prepare: () => Promise.reject(new Error('no job runs here')),
    },
    seals: createCredentialSeals([await createProjectKey(new Uint8Array(32))]),
    limits: { maxQueuedJobs: 100, maxJobsPerPrincipal: 100, ...limits },
  })
}

function createServedApp(
  { exchange }: Surroundings,
  jobs: JobService,
  stopping: AbortSignal,
  { access = 'public', heartbeatMs = 60_000 }: ServedJobsOptions,
): App {
  const manifest = manifestOf(
    'evaluate.ts',
    defineAction({ access, params: Type.Object({ modelId: Type.Optional(modelId()) }), execute: () => 1 }),
  )
  const identify = identifyByToken(exchange.authorizer, checkAccess)
  return createApp({
    manifest: { functions: [manifest], broken: [] },
    functions: [{ manifest, deployment: deploymentOf(manifest) }],
    identity: { appName: 'app@1.0.0', routePrefix: '/v1' },
    exchange: { ...exchange, routePrefix: '/v1' },
    corsOrigins: [],
    readiness: () => ({ ready: true }),
    systemRoutes: createJobRoutes({ jobs, stopping, identify, log: exchange.log, heartbeatMs }),
    submissions: { jobs, stopping },
  })
}

/** What a crew would do. */
function createWork(store: JobStore, directory: string): Pick<ServedJobs, 'take' | 'succeed' | 'keep'> {
  const make = async (content: string | Uint8Array): Promise<string> => {
    const path = join(directory, crypto.randomUUID())
    await writeFile(path, content)
    return path
  }
  return {
    async take() {
      const taken = await store.take({ worker: 'test', functions: ['evaluate'], leaseMs: 60_000 })
      if (taken === null) throw new Error('no job waits')
      return taken.lease
    },
    async succeed(lease, result, form = 'value') {
      const mediaType = form === 'value' ? 'application/json' : 'application/x-ndjson'
      const facts = { path: await make(result), form, mediaType, count: 1 }
      await store.finish(lease, { state: 'succeeded', error: null, result: facts })
    },
    async keep(lease, name, content, mediaType) {
      await store.keepFile(lease, { name, mediaType, path: await make(content) })
    },
  }
}
