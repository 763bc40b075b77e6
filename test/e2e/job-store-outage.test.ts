import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isIsoplexError } from '../../runtime/error/error.ts'
import { createFolderShelf } from '../../runtime/job/content/folder-shelf.ts'
import { createServerShelf, type ServerShelf } from '../../runtime/job/content/server-shelf.ts'
import { openJobStore } from '../../runtime/job/store/job-store.ts'
import type { JobStore, Lease } from '../../runtime/job/store.ts'
import { failedEnd, newJob, recordOf, roomy, storeLimits } from '../job/store/test-store.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { absenceOfTmpfs, mountDisk } from '../support/small-disk.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const take = { worker: 'test', functions: ['work'], leaseMs: 600_000 }
const limits = { ...storeLimits, maxJobBytes: 10_000_000 }

/** Asks a store all that it can be asked, each with what makes sense for a job that runs. */
function askAll(
  store: JobStore,
  lease: Lease,
  path: string,
): Readonly<Record<string, () => Promise<unknown>>> {
  const id = lease.jobId
  return {
    submit: () => store.submit(newJob({ function: 'other' }), roomy),
    get: () => store.get(id, null),
    list: () => store.list({ viewer: null, state: null, function: null, before: null, limit: 10 }),
    events: () => store.events(id, 0, 10),
    read: () => store.read(id, { kind: 'input' }, 0, 10),
    take: () => store.take(take),
    renew: () => store.renew(lease, take.leaseMs),
    beginStep: () => store.beginStep(lease, 'a'),
    recordStep: () => store.recordStep(lease, recordOf('a'), {}, 'b'),
    saveCheckpoint: () => store.saveCheckpoint(lease, 1),
    report: () => store.report(lease, { progress: null, metrics: { a: { b: 1 } }, events: [] }),
    keepFile: () => store.keepFile(lease, { name: 'large', mediaType: 'text/plain', path }),
    fetch: () => store.fetch(lease, { kind: 'file', name: 'large' }, `${path}.fetched`),
    cancel: () => store.cancel(id, null),
    beginRollback: () => store.beginRollback(lease, failedEnd),
    recordRollback: () => store.recordRollback(lease, 'b', null),
    sweep: () => store.sweep(),
    release: () => store.release(lease, { blameless: true }),
    finish: async () => {
      const again = await store.take(take)
      await store.finish(again?.lease ?? lease, { ...failedEnd, result: null })
    },
  }
}

describe.runIf(hasPostgres)('a database that goes away and comes back', () => {
  let scratch: Scratch
  let database: TestDatabase
  let proxy: TcpProxy
  let shelf: ServerShelf
  let store: JobStore
  let path: string
  beforeAll(async () => {
    scratch = await createScratch()
    database = await createDatabase()
    proxy = await startTcpProxy(database.url)
    shelf = createServerShelf(proxy.url)
    store = await openJobStore({ database: { url: proxy.url }, shelf, limits })
    path = await scratch.write('large', 'x'.repeat(3_000_000))
  })
  afterAll(async () => {
    await store.close()
    await shelf.close()
    await proxy[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  })

  const away = { code: 'JOB_STORE_UNAVAILABLE', details: { reason: 'unreachable' } }

  it.each([
    ['refuses', () => database.leave(), () => database.return()],
    ['cannot be reached', () => proxy.leave(), () => proxy.return()],
  ])('refuses every question while it %s, and answers each afterwards', async (_, leave, comeBack) => {
    await store.submit(newJob(), roomy)
    const lease = (await store.take(take))?.lease ?? expect.fail('no job')
    const questions = askAll(store, lease, path)
    await leave()
    for (const [name, ask] of Object.entries(questions)) {
      await expect(ask(), name).rejects.toMatchObject(away)
    }
    await comeBack()
    for (const [name, ask] of Object.entries(questions)) await expect(ask(), name).resolves.not.toThrow()
    const job = await store.get(lease.jobId, null)
    expect(job).toMatchObject({ state: 'failed', attempt: 2, files: [{ name: 'large', bytes: 3_000_000 }] })
    expect(job.steps.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'done'],
      ['b', 'rolled-back'],
    ])
  })

  it('is given up on where it does not answer at all, and asked anew when it does', async () => {
    proxy.hang()
    await expect(store.submit(newJob(), roomy)).rejects.toMatchObject(away)
    await proxy.return()
    const { created } = await store.submit(newJob(), roomy)
    expect(created).toBe(true)
  }, 30_000)

  it('records nothing twice and loses nothing, however often that happens', async () => {
    let isOver = false
    const work = Promise.all(Array.from({ length: 6 }, (_, index) => runJob(store, `key ${index}`, path)))
    const outages = (async () => {
      for (let round = 0; !isOver; round += 1) {
        const [leave, comeBack] =
          round % 2 === 0
            ? [() => database.leave(), () => database.return()]
            : [() => proxy.leave(), () => proxy.return()]
        await leave()
        await refusal(store)
        await comeBack()
        await answer(store)
      }
      return isOver
    })()
    const ids = await work.finally(() => {
      isOver = true
      return outages
    })
    expect(new Set(ids).size).toBe(6)
    for (const id of ids) {
      const job = await store.get(id, null)
      expect(job).toMatchObject({ state: 'succeeded', attempt: 1, progress: { overall: 100 } })
      expect(job.steps.map(({ name, state }) => [name, state])).toEqual(names.map((name) => [name, 'done']))
      const events = await store.events(id, 0, 1_000)
      expect(events.every(({ seq }, index) => seq > (events[index - 1]?.seq ?? 0))).toBe(true)
      const ended = events.filter(({ kind, data }) => kind === 'step' && data.state === 'done')
      expect(ended.map(({ data }) => data.step)).toEqual(names)
      const { bytes, totalBytes } = await store.read(id, { kind: 'file', name: 'report' }, 0, 4_000_000)
      expect([bytes.length, totalBytes]).toEqual([3_000_000, 3_000_000])
    }
    const all = await store.list({ viewer: 'outage', state: null, function: null, before: null, limit: 100 })
    expect(all.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    // What transactions that came to nothing had put is gone, or is what the sweep looks for: no row names it.
    expect(await store.sweep()).toBe(0)
  }, 120_000)
})

const names = Array.from({ length: 30 }, (_, index) => `step-${index}`)

/** Submits a job and does it, each thing again until the store has answered. Gives its id. */
async function runJob(store: JobStore, key: string, path: string): Promise<string> {
  const request = newJob({ principal: 'outage', function: key, idempotencyKey: key })
  const { job } = await insist(() => store.submit(request, roomy))
  const taken = await insist(() => store.take({ ...take, functions: [key] }))
  const lease = taken?.lease ?? expect.fail('the job was not there to be taken')
  for (const [index, name] of names.entries()) {
    await insist(() => store.recordStep(lease, recordOf(name), {}, names[index + 1] ?? null))
  }
  await insist(() => store.keepFile(lease, { name: 'report', mediaType: 'text/plain', path }))
  const end = { state: 'succeeded', error: null, result: null } as const
  // Where the answer was lost, the lease has ended with the job.
  await insist(() => store.finish(lease, end)).catch((error: unknown) => {
    if (!isIsoplexError(error) || error.code !== 'LEASE_LOST') throw error
  })
  return job.id
}

async function insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isIsoplexError(error) || error.code !== 'JOB_STORE_UNAVAILABLE') throw error
      await Bun.sleep(5)
    }
  }
}

const nothing = { viewer: 'nobody', state: null, function: null, before: null, limit: 1 } as const

/** Asks until the store refuses. */
async function refusal(store: JobStore): Promise<void> {
  for (let refused = false; !refused; ) {
    refused = await store.list(nothing).then(
      () => false,
      () => true,
    )
  }
}

async function answer(store: JobStore): Promise<void> {
  await insist(() => store.list(nothing))
}

const changing = ['submit', 'renew', 'beginStep', 'saveCheckpoint', 'report', 'keepFile']

describe.runIf(requireOrSkip('tmpfs', await absenceOfTmpfs()))('a full disk under SQLite', () => {
  it('is told, loses nothing that was recorded, and is written on when there is room', async () => {
    await using scratch = await createScratch()
    const disk = scratch.path('disk')
    await mkdir(disk)
    using _disk = mountDisk(disk, 8_388_608)
    const store = await openJobStore({
      database: { path: join(disk, 'jobs.sqlite') },
      shelf: createFolderShelf(join(disk, 'contents')),
      limits,
      sole: true,
    })
    const path = await scratch.write('large', 'x'.repeat(300_000))
    await store.submit(newJob(), roomy)
    const lease = (await store.take(take))?.lease ?? expect.fail('no job')
    const questions = askAll(store, lease, path)
    await fill(disk)
    const refused: string[] = []
    for (const [name, ask] of Object.entries(questions)) {
      if (!changing.includes(name)) continue
      await ask().catch((error: unknown) => {
        expect(error, name).toMatchObject({ code: 'STORAGE_FULL' })
        refused.push(name)
      })
    }
    // What is small may find room in pages that are there.
    expect(refused).toEqual(expect.arrayContaining(['submit', 'keepFile']))
    expect(await store.get(lease.jobId, null)).toMatchObject({ state: 'running', steps: [], files: [] })
    await rm(join(disk, 'filling'))
    for (const [name, ask] of Object.entries(questions)) await expect(ask(), name).resolves.not.toThrow()
    expect(await store.get(lease.jobId, null)).toMatchObject({ state: 'failed', files: [{ name: 'large' }] })
    expect(await readdir(join(disk, 'contents', lease.jobId))).toHaveLength(1)
    await store.close()
  })
})

/** Writes until the disk takes no more. */
async function fill(disk: string): Promise<void> {
  const full = await writeFile(join(disk, 'filling'), new Uint8Array(16_000_000)).catch((error) => error)
  expect(full).toMatchObject({ code: 'ENOSPC' })
}
