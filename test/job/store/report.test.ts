import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, storeKinds } from './test-store.ts'

const none = { progress: null, metrics: null, events: [] }

describe.each(storeKinds)('reports on $name', (kind) => {
  it('change what they speak of', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    const category = { current: 1, total: 2, percent: 50, timeRemainingSeconds: null }
    const progress = { overall: 40.5, current: 'inference', categories: { inference: category } }
    await store.report(lease, { ...none, progress })
    await store.report(lease, { ...none, metrics: { inference: { accuracy: 0.5, 'ü\u0000': null } } })
    await store.report(lease, none)
    expect(await store.get(lease.jobId, null)).toMatchObject({
      progress,
      metrics: { inference: { accuracy: 0.5, 'ü\u0000': null } },
    })
    expect(await store.events(lease.jobId, 2, 9)).toEqual([
      { seq: 3, atMs: expect.any(Number), kind: 'progress', data: progress },
    ])
  })

  it('never let the progress fall, or end before the job does', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    let highest = 0
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.double(), fc.double({ min: 0, max: 100, noNaN: true })),
        async (overall) => {
          await store.report(lease, { ...none, progress: { overall, current: null, categories: {} } })
          const { progress } = await store.get(lease.jobId, null)
          expect(progress.overall).toBeGreaterThanOrEqual(highest)
          expect(progress.overall).toBeLessThan(100)
          highest = progress.overall
        },
      ),
      { numRuns: 40 },
    )
  })

  it('are refused where the metrics are too large', async () => {
    await using opened = await kind.open({ maxJobRecordBytes: 100 })
    const lease = await begin(opened.store)
    const metrics = { a: { text: 'x'.repeat(100) } }
    expect(await rejectionOf(opened.store.report(lease, { ...none, metrics }))).toMatchObject({
      code: 'JOB_TOO_LARGE',
      details: { limitBytes: 100 },
    })
  })
})
