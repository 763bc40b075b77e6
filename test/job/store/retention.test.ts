import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, failedEnd, newJob, recordOf, roomy, storeKinds, submit } from './test-store.ts'

const tables = ['job', 'job_step', 'job_memory', 'job_event', 'job_content']

describe.each(storeKinds)('retention on $name', (kind) => {
  it('forgets jobs that ended long ago, with all that they left', async () => {
    await using opened = await kind.open({ jobRetentionMs: 0 })
    const { store } = opened
    const body = new Uint8Array(20_000)
    for (let count = 0; count < 120; count += 1)
      await store.cancel(await submit(store, count % 50 ? {} : { body }), null)
    const lease = await begin(store, { body, idempotencyKey: 'k' })
    const path = await opened.write('f', 'x'.repeat(20_000))
    await store.recordStep(lease, recordOf('one'), {}, 'two')
    await store.keepFile(lease, { name: 'f', mediaType: 'text/plain', path })
    expect(await store.sweep()).toBe(120)
    expect((await store.get(lease.jobId, null)).files).toHaveLength(1)
    await store.finish(lease, { ...failedEnd, result: null })
    expect(await store.submit(newJob({ body, idempotencyKey: 'k' }), roomy)).toMatchObject({ created: false })
    expect(await store.sweep()).toBe(1)
    expect(await rejectionOf(store.get(lease.jobId, null))).toMatchObject({ code: 'JOB_NOT_FOUND' })
    for (const table of tables) expect(await opened.ask(`SELECT * FROM ${table}`)).toEqual([])
    expect(await Array.fromAsync(opened.shelf.listOlderThan(-1_000))).toEqual([])
    expect(await store.submit(newJob({ body, idempotencyKey: 'k' }), roomy)).toMatchObject({ created: true })
    expect(await store.sweep()).toBe(0)
  })

  it('keeps jobs for their time', async () => {
    await using opened = await kind.open({ jobRetentionMs: 3_600_000 })
    const id = await submit(opened.store)
    await opened.store.cancel(id, null)
    expect(await opened.store.sweep()).toBe(0)
    expect(await opened.store.get(id, null)).toMatchObject({ state: 'cancelled' })
  })

  it('forgets a job with very many events, and two servers forget it once', async () => {
    await using opened = await kind.open({ jobRetentionMs: 0, maxJobEvents: 100_000 })
    const { store } = opened
    const lease = await begin(store)
    const events = Array.from({ length: 25_000 }, () => ({ atMs: 1, kind: 'log', data: {} }) as const)
    await store.report(lease, { progress: null, metrics: null, events })
    await store.finish(lease, { ...failedEnd, result: null })
    const other = await opened.openAgain()
    const counts = await Promise.all([store.sweep(), other.sweep()])
    expect(counts.toSorted()).toEqual([0, 1])
    expect(await opened.ask('SELECT * FROM job_event LIMIT 1')).toEqual([])
  })
})
