import { mkdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createFolderShelf } from '../../runtime/job/content/folder-shelf.ts'
import { openSoleStore } from '../../runtime/job/sole-store.ts'
import { openJobStore } from '../../runtime/job/store/job-store.ts'
import type { JobStore } from '../../runtime/job/store.ts'
import { createScratch, rejectionOf, type Scratch } from '../model/scratch.ts'
import { failedEnd, newJob, recordOf, roomy, storeLimits } from './store/test-store.ts'

const retryMs = 10
const taken = {
  code: 'JOB_STORE_UNAVAILABLE',
  details: { reason: 'taken', retryAfterMs: retryMs },
  message: expect.stringMatching(/^Another server keeps .*jobStoreUrl/),
}

it('is open for one only, and for the next once that one is closed', async () => {
  await using scratch = await createScratch()
  const happened: string[] = []
  const first = open(scratch, 'first', happened)
  const { job } = await first.submit(newJob(), roomy)
  const second = open(scratch, 'second', happened)
  expect(await rejectionOf(second.get(job.id, null))).toMatchObject(taken)
  expect(await rejectionOf(second.submit(newJob(), roomy))).toMatchObject(taken)
  expect(await first.get(job.id, null)).toEqual(job)
  await first.close()
  await untilOpen(second)
  expect(await second.get(job.id, null)).toEqual(job)
  expect(happened).toEqual([`second: process ${process.pid} has it`, 'second: has it'])
  const third = open(scratch, 'third', happened)
  expect(await rejectionOf(third.sweep())).toMatchObject(taken)
  await third.close()
  expect(await second.sweep()).toBe(0)
  await second.close()
})

it('says why it cannot be opened, leaves it to others, and tries again', async () => {
  await using scratch = await createScratch()
  // In the place of the database is a folder.
  await mkdir(scratch.path('jobs.sqlite'))
  const first = open(scratch, 'first', [])
  expect(await rejectionOf(first.sweep())).toMatchObject({ code: 'CONFIG_INVALID' })
  const second = open(scratch, 'second', [])
  expect(await rejectionOf(second.sweep())).toMatchObject({ code: 'CONFIG_INVALID' })
  await second.close()
  Bun.spawnSync(['rmdir', scratch.path('jobs.sqlite')])
  await untilOpen(first)
  await first.close()
})

it('passes on whatever it is asked', async () => {
  await using scratch = await createScratch()
  const store = open(scratch, 'only', [])
  const { job } = await store.submit(newJob(), roomy)
  const take = { worker: 'test', functions: ['work'], leaseMs: 60_000 }
  const held = (await store.take(take))?.lease ?? expect.fail('no job')
  const path = await scratch.write('file', 'content')
  expect(await store.renew(held, 60_000)).toEqual({ cancelRequested: false })
  expect(await store.beginStep(held, 'a')).toEqual({ name: 'a', attempt: 1 })
  await store.saveCheckpoint(held, { at: 1 })
  await store.report(held, { progress: null, metrics: { a: { b: 1 } }, events: [] })
  await store.keepFile(held, { name: 'file', mediaType: 'text/plain', path })
  await store.fetch(held, { kind: 'file', name: 'file' }, scratch.path('copy'))
  expect(await Bun.file(scratch.path('copy')).text()).toBe('content')
  await store.release(held, { blameless: true })
  const again = await store.take(take)
  expect(again?.checkpoint).toEqual({ at: 1 })
  const lease = again?.lease ?? expect.fail('no job')
  await store.recordStep(lease, recordOf('a'), { field: 1 }, null)
  expect((await store.cancel(job.id, null)).cancelRequested).toBe(true)
  await store.beginRollback(lease, failedEnd)
  await store.recordRollback(lease, 'a', null)
  await store.finish(lease, { ...failedEnd, result: null })
  expect((await store.read(job.id, { kind: 'input' }, 0, 5)).bytes).toEqual(new TextEncoder().encode('{"cou'))
  expect((await store.events(job.id, 0, 100)).map(({ kind }) => kind)).toContain('file')
  const query = { viewer: null, state: 'failed', function: null, before: null, limit: 10 } as const
  expect((await store.list(query)).map(({ id }) => id)).toEqual([job.id])
  await store.close()
})

function open(scratch: Scratch, name: string, happened: string[]): JobStore {
  return openSoleStore({
    ownerPath: scratch.path('owner'),
    open: () =>
      openJobStore({
        database: { path: scratch.path('jobs.sqlite') },
        shelf: createFolderShelf(scratch.path('contents')),
        limits: storeLimits,
        sole: true,
      }),
    onTaken: (ownerPid) => happened.push(`${name}: process ${ownerPid} has it`),
    onOwned: () => happened.push(`${name}: has it`),
    retryMs,
  })
}

/** Asks until the store is open, which it must come to be by itself. */
async function untilOpen(store: JobStore): Promise<void> {
  for (;;) {
    const refused = await store.sweep().then(
      () => false,
      () => true,
    )
    if (!refused) return
    await Bun.sleep(1)
  }
}
