import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, failedEnd, recordOf, storeKinds, submit, take, tryTake } from './test-store.ts'

const value = { form: 'value', mediaType: 'application/json', count: 1 } as const

describe.each(storeKinds)('the end of a job on $name', (kind) => {
  it.each([20, 20_000])('keeps a result of %i bytes', async (size) => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    const text = 'r'.repeat(size)
    const path = await opened.write('result', text)
    await store.report(lease, {
      progress: { overall: 99, current: null, categories: {} },
      metrics: null,
      events: [],
    })
    await store.finish(lease, { state: 'succeeded', error: null, result: { ...value, path } })
    const job = await store.get(lease.jobId, null)
    expect(job).toMatchObject({
      state: 'succeeded',
      error: null,
      result: { ...value, bytes: size },
      progress: { overall: 100 },
      rollingBack: false,
    })
    expect(job.expiresMs).toBe(Number(job.endedMs) + 60_000)
    expect(await store.read(lease.jobId, { kind: 'result' }, 0, 100_000)).toEqual({
      bytes: new TextEncoder().encode(text),
      mediaType: 'application/json',
      totalBytes: size,
    })
    const events = await store.events(lease.jobId, 2, 99)
    expect(events.map((event) => [event.kind, event.data])).toEqual([
      ['progress', { overall: 100, current: null, categories: {} }],
      ['state', { state: 'succeeded', attempt: 1, error: null }],
    ])
    expect(await tryTake(store)).toBeNull()
  })

  it('leaves the error, and a progress that is not whole', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    await store.recordStep(lease, recordOf('one'), { a: 1 }, 'two')
    await store.saveCheckpoint(lease, 1)
    await store.beginRollback(lease, failedEnd)
    await store.report(lease, {
      progress: { overall: 100, current: null, categories: {} },
      metrics: null,
      events: [],
    })
    await store.finish(lease, { ...failedEnd, result: null })
    expect(await store.get(lease.jobId, null)).toMatchObject({
      ...failedEnd,
      result: null,
      rollingBack: false,
      progress: { overall: 99.99 },
      steps: [{ name: 'one', state: 'done' }],
    })
    expect(await opened.ask('SELECT * FROM job_memory')).toEqual([])
    expect(await opened.ask('SELECT name FROM job_step WHERE result IS NOT NULL')).toEqual([])
    expect(await rejectionOf(store.read(lease.jobId, { kind: 'result' }, 0, 9))).toMatchObject({
      code: 'JOB_ENDED',
      details: { state: 'failed', code: 'STEP_FAILED' },
    })
  })

  it('does not come where the result is too large', async () => {
    await using opened = await kind.open({ maxJobBytes: 30_000 })
    const { store } = opened
    const lease = await begin(store)
    const path = await opened.write('result', 'r'.repeat(20_000))
    await store.keepFile(lease, { name: 'a', mediaType: 'text/plain', path })
    expect(
      await rejectionOf(store.finish(lease, { state: 'succeeded', error: null, result: { ...value, path } })),
    ).toMatchObject({ code: 'JOB_TOO_LARGE', details: { limitBytes: 30_000 } })
    expect(await store.get(lease.jobId, null)).toMatchObject({ state: 'running', result: null })
    expect((await Array.fromAsync(opened.shelf.listOlderThan(-1_000))).flat()).toHaveLength(1)
  })
})

describe.each(storeKinds)('cancelling on $name', (kind) => {
  it('ends a job that waits, at once', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const id = await submit(store)
    expect(await rejectionOf(store.cancel(id, 'other'))).toMatchObject({ code: 'JOB_NOT_FOUND' })
    const cancelled = await store.cancel(id, 'someone')
    expect(cancelled).toMatchObject({
      state: 'cancelled',
      cancelRequested: true,
      startedMs: null,
      endedMs: expect.any(Number),
      error: { code: 'CANCELLED', step: null, rollbackErrors: [] },
    })
    expect(await tryTake(store)).toBeNull()
    expect(await store.cancel(id, null)).toEqual(cancelled)
    expect(await store.events(id, 0, 9)).toHaveLength(2)
  })

  it('ends a job that was given back with nothing to roll back', async () => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    await opened.store.recordStep(lease, recordOf('one', { skipped: true }), {}, null)
    await opened.store.release(lease, { blameless: true })
    expect(await opened.store.cancel(lease.jobId, null)).toMatchObject({ state: 'cancelled' })
  })

  it.each([
    ['a recorded step', [recordOf('one')], null],
    ['a step that was interrupted', [recordOf('one', { skipped: true })], 'two'],
  ] as const)('has a worker roll %s back', async (_, records, next) => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    for (const record of records) await store.recordStep(lease, record, {}, next)
    await store.release(lease, { blameless: true })
    expect(await store.cancel(lease.jobId, null)).toMatchObject({
      state: 'queued',
      cancelRequested: true,
      rollingBack: true,
    })
    await store.cancel(lease.jobId, null)
    const taken = await take(store)
    expect(taken).toMatchObject({
      job: { cancelRequested: true },
      pendingEnd: { state: 'cancelled', error: { code: 'CANCELLED' } },
    })
    for (const { name } of taken.steps) await store.recordRollback(taken.lease, name, null)
    await store.finish(taken.lease, { state: 'cancelled', error: failedEnd.error, result: null })
    expect(await store.get(lease.jobId, null)).toMatchObject({ state: 'cancelled', rollingBack: false })
  })

  it('keeps why a job fails that is being rolled back', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    await store.recordStep(lease, recordOf('one'), {}, null)
    await store.beginRollback(lease, failedEnd)
    await store.release(lease, { blameless: true })
    await store.cancel(lease.jobId, null)
    expect((await take(store)).pendingEnd).toEqual(failedEnd)
  })

  it('asks the worker of a job that runs', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    expect(await store.cancel(lease.jobId, null)).toMatchObject({ state: 'running', cancelRequested: true })
    expect(await store.renew(lease, 60_000)).toEqual({ cancelRequested: true })
  })

  it('ends a job at once whose worker is gone, unless there is something to roll back', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const idle = await begin(store)
    await store.renew(idle, 0)
    expect(await store.cancel(idle.jobId, null)).toMatchObject({
      state: 'cancelled',
      endedMs: expect.any(Number),
    })
    expect(await rejectionOf(store.renew(idle, 60_000))).toMatchObject({ code: 'LEASE_LOST' })
    const stepped = await begin(store)
    await store.recordStep(stepped, recordOf('one'), {}, null)
    await store.renew(stepped, 0)
    expect(await store.cancel(stepped.jobId, null)).toMatchObject({ state: 'running', cancelRequested: true })
    expect((await take(store)).job).toMatchObject({ id: stepped.jobId, cancelRequested: true })
  })

  it.each(['job_none', '', 'job_\u0000', "job_' OR 1 = 1 --"])('finds no job %j', async (id) => {
    await using opened = await kind.open()
    const refused = { code: 'JOB_NOT_FOUND' }
    expect(await rejectionOf(opened.store.cancel(id, null))).toMatchObject(refused)
    expect(await rejectionOf(opened.store.get(id, null))).toMatchObject(refused)
    expect(await rejectionOf(opened.store.read(id, { kind: 'input' }, 0, 1))).toMatchObject(refused)
    expect(await opened.store.events(id, 0, 10)).toEqual([])
  })
})
