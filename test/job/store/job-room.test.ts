import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { failedEnd, newJob, storeKinds, take } from './test-store.ts'

describe.each(storeKinds)('the room for jobs on $name', (kind) => {
  it('ends with the queue, and comes back as soon as a job is taken', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const limits = { maxQueuedJobs: 3, maxJobsPerPrincipal: 100 }
    for (let count = 0; count < 3; count += 1) await store.submit(newJob({ principal: `p${count}` }), limits)
    for (let count = 0; count < 2; count += 1) {
      expect(await rejectionOf(store.submit(newJob(), limits))).toMatchObject({
        code: 'QUEUE_FULL',
        details: { retryAfterMs: expect.any(Number) },
      })
      await take(store)
      await store.submit(newJob(), limits)
    }
  })

  it('ends for a principal with its share, and comes back as soon as one of its jobs has ended', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const limits = { maxQueuedJobs: 100, maxJobsPerPrincipal: 2 }
    await store.submit(newJob(), limits)
    const waiting = await store.submit(newJob(), limits)
    const { lease } = await take(store)
    const refusal = { code: 'SHARE_EXCEEDED', details: { retryAfterMs: expect.any(Number) } }
    expect(await rejectionOf(store.submit(newJob(), limits))).toMatchObject(refusal)
    await store.submit(newJob({ principal: 'other' }), limits)
    await store.cancel(waiting.job.id, null)
    await store.submit(newJob(), limits)
    expect(await rejectionOf(store.submit(newJob(), limits))).toMatchObject(refusal)
    await store.finish(lease, { ...failedEnd, result: null })
    await store.submit(newJob(), limits)
    expect(await rejectionOf(store.submit(newJob(), limits))).toMatchObject(refusal)
  })

  it('is what is left of it where the store is opened again', async () => {
    await using opened = await kind.open()
    const limits = { maxQueuedJobs: 2, maxJobsPerPrincipal: 100 }
    await opened.store.submit(newJob(), limits)
    const again = await opened.openAgain()
    await again.submit(newJob(), limits)
    expect(await rejectionOf(again.submit(newJob(), limits))).toMatchObject({ code: 'QUEUE_FULL' })
  })

  it('is not given away twice to submissions at the same moment', async () => {
    await using opened = await kind.open()
    const limits = { maxQueuedJobs: 10, maxJobsPerPrincipal: 100 }
    await opened.store.submit(newJob(), limits)
    const settled = await Promise.allSettled(
      Array.from({ length: 40 }, () => opened.store.submit(newJob(), limits)),
    )
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
  })
})
