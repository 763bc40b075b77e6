import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jobStates } from '../../../runtime/job/job.ts'
import type { JobQuery } from '../../../runtime/job/store.ts'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, failedEnd, recordOf, storeKinds, submit } from './test-store.ts'

const all: JobQuery = { viewer: null, state: null, function: null, before: null, limit: 1_000 }

describe.each(storeKinds)('looking at jobs on $name', (kind) => {
  it('shows a principal its own, and the operator all', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const id = await submit(store)
    expect(await store.get(id, 'someone')).toEqual(await store.get(id, null))
    expect(await rejectionOf(store.get(id, 'other'))).toMatchObject({ code: 'JOB_NOT_FOUND' })
    expect(await rejectionOf(store.get(id, ''))).toMatchObject({ code: 'JOB_NOT_FOUND' })
  })

  it('lists what is asked for, the newest first, in pages', async () => {
    await using opened = await kind.open()
    const { store } = opened
    for (let count = 0; count < 12; count += 1) {
      await submit(store, { principal: `p${count % 2}`, function: count % 3 === 0 ? 'other' : 'work' })
    }
    const ended = await begin(store)
    await store.recordStep(ended, recordOf('one'), {}, null)
    const path = await opened.write('f', 'abc')
    await store.keepFile(ended, { name: 'f', mediaType: 'text/plain', path })
    await store.finish(ended, { ...failedEnd, result: null })
    await begin(store)
    const jobs = await store.list(all)
    expect(jobs.map(({ id }) => id)).toEqual(
      jobs
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    )
    expect(jobs).toHaveLength(14)
    for (const job of jobs) expect(await store.get(job.id, null)).toEqual(job)

    const query = fc.record({
      viewer: fc.constantFrom(null, 'p0', 'p1', 'nobody'),
      state: fc.constantFrom(null, ...jobStates),
      function: fc.constantFrom(null, 'work', 'other', 'none'),
      before: fc.constantFrom(null, ...jobs.map(({ id }) => id), 'job_', 'k'),
      limit: fc.integer({ min: 1, max: 20 }),
    })
    await fc.assert(
      fc.asyncProperty(query, async ({ limit, ...asked }) => {
        const expected = jobs.filter(
          (job) =>
            (asked.viewer === null || job.principal === asked.viewer) &&
            (asked.state === null || job.state === asked.state) &&
            (asked.function === null || job.function === asked.function) &&
            (asked.before === null || job.id < asked.before),
        )
        expect(await store.list({ ...asked, limit })).toEqual(expected.slice(0, limit))
      }),
      { numRuns: 100 },
    )
    for (const field of ['viewer', 'function', 'before']) {
      expect(await store.list({ ...all, [field]: 'k\u0000' })).toEqual([])
    }
  })
})
