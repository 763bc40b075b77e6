import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { createFolderShelf } from '../../runtime/job/content/folder-shelf.ts'
import { JobTallies } from '../../runtime/job/job-tallies.ts'
import { openJobStore } from '../../runtime/job/store/job-store.ts'
import type { JobEnd, JobStore, NewJob, TakeOptions } from '../../runtime/job/store.ts'
import { tallyStore } from '../../runtime/job/tallied-store.ts'

const limits = { maxQueuedJobs: 100, maxJobsPerPrincipal: 100 }
const bounds = { maxJobEvents: 100, maxJobBytes: 1_000, maxJobRecordBytes: 1_000, jobRetentionMs: 60_000 }
const newJob: NewJob = {
  function: 'evaluate',
  category: null,
  principal: 'tenant:a',
  head: {
    requestId: 'id-1',
    principal: 'tenant:a',
    method: 'POST',
    url: '/evaluate',
    params: {},
    contentType: null,
    accept: null,
    headers: [],
  },
  body: new Uint8Array(),
  credential: null,
  models: [],
  idempotencyKey: 'k',
}
const wanted: TakeOptions = { worker: 'test', functions: ['evaluate'], leaseMs: 60_000 }

let directory: string
let plain: JobStore
let store: JobStore
let tallies: JobTallies

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-tallied-store-'))
  const database = { path: join(directory, 'jobs.sqlite') }
  plain = await openJobStore({
    database,
    shelf: createFolderShelf(join(directory, 'contents')),
    limits: bounds,
  })
  tallies = new JobTallies()
  store = tallyStore(plain, tallies)
})

afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

async function success(): Promise<JobEnd> {
  const path = join(directory, 'result')
  await writeFile(path, '1')
  return {
    state: 'succeeded',
    error: null,
    result: { path, form: 'value', mediaType: 'application/json', count: 1 },
  }
}

async function take() {
  const taken = await store.take(wanted)
  if (!taken) throw new Error('no job waits')
  return taken.lease
}

it('counts a job from its submission to its end, and a repeated submission once', async () => {
  await store.submit(newJob, limits)
  await store.submit(newJob, limits)
  const tally = tallies.of('evaluate')
  expect([tally.submitted, tally.running]).toEqual([1, 0])
  expect(await store.countQueued()).toEqual({ evaluate: 1 })
  const lease = await take()
  expect(await store.countQueued()).toEqual({})
  expect([tally.running, tally.queueSeconds.count]).toEqual([1, 1])
  await store.finish(lease, await success())
  expect([tally.running, tally.ended.get('succeeded'), tally.runSeconds.count]).toEqual([0, 1, 1])
  expect(await store.take(wanted)).toBe(null)
})

it('counts one that is given back as waiting again, for the first time only', async () => {
  await store.submit(newJob, limits)
  await store.release(await take(), { blameless: true })
  const tally = tallies.of('evaluate')
  expect(tally.running).toBe(0)
  await take()
  expect([tally.running, tally.queueSeconds.count]).toEqual([1, 1])
})

it('does not count on what runs elsewhere by now', async () => {
  await store.submit(newJob, limits)
  const lost = await take()
  await plain.release(lost, { blameless: true })
  await plain.take(wanted)
  const tally = tallies.of('evaluate')
  await expect(store.renew(lost, 60_000)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(tally.running).toBe(0)
  await expect(store.finish(lost, await success())).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect([...tally.ended.entries]).toEqual([])
})

it('counts one that comes back here once', async () => {
  await store.submit(newJob, limits)
  const lost = await take()
  await plain.release(lost, { blameless: true })
  const lease = await take()
  const tally = tallies.of('evaluate')
  expect(tally.running).toBe(1)
  await expect(store.renew(lost, 60_000)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(tally.running).toBe(1)
  await store.finish(lease, await success())
  expect(tally.running).toBe(0)
})

it('does not count on what cannot be given back, or is known to run elsewhere by a report', async () => {
  const away = new IsoplexError('JOB_STORE_UNAVAILABLE', 'It is away.', {
    details: { retryAfterMs: 1, reason: 'unreachable' },
  })
  const leaving = tallyStore({ ...plain, release: () => Promise.reject(away) }, tallies)
  await store.submit(newJob, limits)
  const tally = tallies.of('evaluate')
  const lease = (await leaving.take(wanted))?.lease ?? expect.unreachable()
  await expect(leaving.release(lease, { blameless: true })).rejects.toBe(away)
  expect(tally.running).toBe(0)
  await plain.release(lease, { blameless: true })
  const lost = await take()
  await plain.release(lost, { blameless: true })
  const news = { progress: null, metrics: null, events: [] }
  await expect(store.report(lost, news)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(tally.running).toBe(0)
})
