import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SQL } from 'bun'
import { afterAll } from 'vitest'
import type { StepRecord, StepResult } from '../../../runtime/define/step.ts'
import type { ContentShelf } from '../../../runtime/job/content/content-shelf.ts'
import { createFolderShelf } from '../../../runtime/job/content/folder-shelf.ts'
import type { JobDatabasePlace } from '../../../runtime/job/store/job-database.ts'
import { openJobStore } from '../../../runtime/job/store/job-store.ts'
import type { JobStoreLimits } from '../../../runtime/job/store/store-parts.ts'
import type { JobLimits, JobStore, Lease, NewJob, TakenJob } from '../../../runtime/job/store.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../../support/postgres.ts'

/** A store for one test, in a place of its own. */
export interface TestStore extends AsyncDisposable {
  readonly store: JobStore
  readonly place: JobDatabasePlace
  readonly shelf: ContentShelf
  /** Opens the same store once more, as another server would. */
  openAgain(): Promise<JobStore>
  /** Writes a file beside the store, and gives its path. */
  write(name: string, content: string): Promise<string>
  /** A path beside the store. */
  path(name: string): string
  /** Asks the database by a connection of its own. */
  ask(statement: string): Promise<readonly Record<string, unknown>[]>
}

/** A kind of database, and how a store on it is opened. */
export interface StoreKind {
  readonly name: string
  open(limits?: Partial<JobStoreLimits>): Promise<TestStore>
}

/** What the store is held to where a test does not say. */
export const storeLimits: JobStoreLimits = {
  maxJobBytes: 1_000_000,
  maxJobRecordBytes: 100_000,
  maxJobEvents: 1_000,
  jobRetentionMs: 60_000,
}

const sqlite: StoreKind = {
  name: 'SQLite',
  open: (limits) => openTestStore((directory) => ({ path: join(directory, 'jobs.sqlite') }), limits),
}

let shared: Promise<TestDatabase> | null = null
afterAll(async () => (await shared)?.[Symbol.asyncDispose]())

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async open(limits) {
    shared ??= createDatabase()
    const { url } = await shared
    // Quicker than a new database for each test.
    await askDatabase({ url }, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    return await openTestStore(() => ({ url }), limits)
  },
}

/** The kinds of databases that are here. */
export const storeKinds: readonly StoreKind[] = hasPostgres ? [sqlite, postgres] : [sqlite]

async function openTestStore(
  toPlace: (directory: string) => JobDatabasePlace,
  limits: Partial<JobStoreLimits> = {},
): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-job-store-'))
  const place = toPlace(directory)
  const shelf = createFolderShelf(join(directory, 'contents'))
  const stores: JobStore[] = []
  const openAgain = async (): Promise<JobStore> => {
    const store = await openJobStore({ database: place, shelf, limits: { ...storeLimits, ...limits } })
    stores.push(store)
    return store
  }
  return {
    store: await openAgain(),
    place,
    shelf,
    openAgain,
    path: (name) => join(directory, name),
    async write(name, content) {
      await mkdir(directory, { recursive: true })
      await writeFile(join(directory, name), content)
      return join(directory, name)
    },
    ask: (statement) => askDatabase(place, statement),
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Asks a database by a connection of its own. */
export async function askDatabase(
  place: JobDatabasePlace,
  statement: string,
): Promise<readonly Record<string, unknown>[]> {
  const sql = 'path' in place ? new SQL({ adapter: 'sqlite', filename: place.path }) : new SQL(place.url)
  try {
    return [...(await sql.unsafe(statement))]
  } finally {
    await sql.close()
  }
}

/** Limits that no test meets. */
export const roomy: JobLimits = { maxQueuedJobs: 1_000_000, maxJobsPerPrincipal: 1_000_000 }

/** A job of a function `work`. */
export function newJob(given: Partial<NewJob> = {}): NewJob {
  const principal = given.principal ?? 'someone'
  return {
    function: 'work',
    category: null,
    principal,
    head: {
      requestId: 'request-1',
      principal,
      method: 'POST',
      url: '/work',
      params: {},
      contentType: 'application/json',
      accept: null,
      headers: [],
    },
    body: new TextEncoder().encode('{"count":1}'),
    credential: null,
    models: [],
    idempotencyKey: null,
    ...given,
  }
}

/** Submits a job, and gives its id. */
export async function submit(store: JobStore, given: Partial<NewJob> = {}): Promise<string> {
  return (await store.submit(newJob(given), roomy)).job.id
}

/** Takes a job of the function `work`. @throws {Error} where there is none */
export async function take(store: JobStore, leaseMs = 60_000): Promise<TakenJob> {
  const taken = await tryTake(store, leaseMs)
  if (taken === null) throw new Error('there is no job to take')
  return taken
}

/** Takes a job of the function `work`; `null` where there is none. */
export function tryTake(store: JobStore, leaseMs = 60_000): Promise<TakenJob | null> {
  return store.take({ worker: 'here 1', functions: ['work'], leaseMs })
}

/** Submits a job and takes it. */
export async function begin(store: JobStore, given: Partial<NewJob> = {}): Promise<Lease> {
  await submit(store, given)
  return (await take(store)).lease
}

/** Lets the lease of a job end, and takes the job again. */
export async function takeOver(store: JobStore, lease: Lease): Promise<TakenJob> {
  await store.renew(lease, 0)
  return await take(store)
}

/** The record of a step. */
export function recordOf(name: string, given: Partial<StepResult> = {}): StepRecord {
  return {
    name,
    result: {
      success: true,
      data: {},
      error: null,
      rollbackData: {},
      skipped: false,
      timestamp: '2026-01-02T03:04:05.678Z',
      ...given,
    },
  }
}

/** What a failed job ends as. */
export const failedEnd = {
  state: 'failed',
  error: { code: 'STEP_FAILED', message: 'The step failed.', step: 'one', rollbackErrors: [] },
} as const
