import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, failedEnd, newJob, roomy, storeKinds, submit, take } from './test-store.ts'

describe.each(storeKinds)('submitting on $name', (kind) => {
  it('makes a job that waits', async () => {
    await using opened = await kind.open()
    const { job, created } = await opened.store.submit(newJob({ category: 'neural_net' }), roomy)
    expect(created).toBe(true)
    expect(job).toEqual({
      id: expect.stringMatching(/^job_[0-9A-Z]{26}$/),
      function: 'work',
      category: 'neural_net',
      principal: 'someone',
      state: 'queued',
      createdMs: expect.any(Number),
      startedMs: null,
      endedMs: null,
      expiresMs: null,
      attempt: 0,
      cancelRequested: false,
      rollingBack: false,
      steps: [],
      progress: { overall: 0, current: null, categories: {} },
      metrics: {},
      files: [],
      error: null,
      result: null,
    })
    expect(await opened.store.get(job.id, 'someone')).toEqual(job)
    expect(await opened.store.events(job.id, 0, 9)).toEqual([
      { seq: 1, atMs: job.createdMs, kind: 'state', data: { state: 'queued', attempt: 0, error: null } },
    ])
  })

  it.each([0, 1, 16_384, 16_385, 500_000])('keeps an input of %i bytes', async (size) => {
    await using opened = await kind.open()
    const body = Uint8Array.from({ length: size }, (_, index) => index % 251)
    const id = await submit(opened.store, { body })
    const { bytes, ...facts } = await opened.store.read(id, { kind: 'input' }, 0, 1_000_000)
    expect(Buffer.compare(bytes, body)).toBe(0)
    expect(facts).toEqual({ mediaType: 'application/json', totalBytes: size })
    expect((await opened.store.read(id, { kind: 'input' }, size - 1, 10)).bytes).toEqual(body.slice(-1))
    expect((await opened.store.read(id, { kind: 'input' }, size + 5, 10)).bytes).toHaveLength(0)
    const { lease } = await take(opened.store)
    await opened.store.fetch(lease, { kind: 'input' }, opened.path('input'))
    expect(Buffer.compare(await Bun.file(opened.path('input')).bytes(), body)).toBe(0)
  })

  it('gives the job of an idempotency key again, as it is by then', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const keyed = newJob({ idempotencyKey: 'k'.repeat(5_000), body: new Uint8Array(20_000) })
    const first = await store.submit(keyed, roomy)
    const { lease } = await take(store)
    const again = await store.submit(keyed, { maxQueuedJobs: 0, maxJobsPerPrincipal: 0 })
    expect(again).toMatchObject({ created: false, job: { id: first.job.id, state: 'running' } })
    await store.finish(lease, { ...failedEnd, result: null })
    expect(await store.submit(keyed, roomy)).toMatchObject({ created: false, job: { state: 'failed' } })
    // The bytes that were not needed do not stay.
    expect(await Array.fromAsync(opened.shelf.listOlderThan(-1_000))).toEqual([
      [expect.stringContaining(first.job.id)],
    ])
  })

  it.each([
    ['body', { body: new Uint8Array(3) }],
    ['address', { head: { ...newJob().head, url: '/work?b' } }],
  ])('refuses an idempotency key with another %s', async (_, change) => {
    await using opened = await kind.open()
    const keyed = newJob({ idempotencyKey: 'k' })
    await opened.store.submit(keyed, roomy)
    expect(await rejectionOf(opened.store.submit({ ...keyed, ...change }, roomy))).toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    })
  })

  it('keeps the idempotency keys of principals and functions apart', async () => {
    await using opened = await kind.open()
    const ids = [
      await submit(opened.store, { idempotencyKey: 'k' }),
      await submit(opened.store, { idempotencyKey: 'k', principal: 'other' }),
      await submit(opened.store, { idempotencyKey: 'k', function: 'other' }),
      await submit(opened.store, { idempotencyKey: 'K' }),
    ]
    expect(new Set(ids).size).toBe(4)
  })

  it('makes one job of many submissions at once with one idempotency key', async () => {
    await using opened = await kind.open()
    const stores = [opened.store, await opened.openAgain()]
    const keyed = newJob({ idempotencyKey: 'k', body: new Uint8Array(17_000) })
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => stores[index % 2]?.submit(keyed, roomy)),
    )
    expect(new Set(answers.map((answer) => answer?.job.id)).size).toBe(1)
    expect(answers.filter((answer) => answer?.created)).toHaveLength(1)
    expect((await Array.fromAsync(opened.shelf.listOlderThan(-1_000))).flat()).toHaveLength(1)
  })

  it('lists jobs in the order in which they were submitted', async () => {
    await using opened = await kind.open()
    const ids = []
    for (let count = 0; count < 50; count += 1) ids.push(await submit(opened.store))
    expect(ids.toSorted()).toEqual(ids)
  })

  it('wipes the credential when the job ends', async () => {
    await using opened = await kind.open()
    const credential = new Uint8Array([1, 2, 3])
    await submit(opened.store, { credential, models: ['a', 'b'] })
    const taken = await take(opened.store)
    expect(taken).toMatchObject({ credential, models: ['a', 'b'], head: newJob().head })
    await opened.store.finish(taken.lease, { ...failedEnd, result: null })
    expect(await opened.ask('SELECT credential FROM job')).toEqual([{ credential: null }])
    const second = await begin(opened.store, { credential })
    await opened.store.release(second, { blameless: true })
    await opened.store.cancel(second.jobId, null)
    expect(await opened.ask('SELECT count(*) AS count FROM job WHERE credential IS NOT NULL')).toEqual([
      { count: kind.name === 'SQLite' ? 0 : '0' },
    ])
  })
})
