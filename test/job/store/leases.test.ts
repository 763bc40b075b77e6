import { describe, expect, it } from 'vitest'
import type { JobStore, Lease } from '../../../runtime/job/store.ts'
import { rejectionOf } from '../../model/scratch.ts'
import {
  begin,
  failedEnd,
  newJob,
  recordOf,
  storeKinds,
  submit,
  take,
  takeOver,
  tryTake,
} from './test-store.ts'

const report = { progress: null, metrics: null, events: [] }

/** All that is done under a lease. */
const writes: readonly (readonly [
  string,
  (store: JobStore, lease: Lease, path: string) => Promise<unknown>,
])[] = [
  ['renew', (store, lease) => store.renew(lease, 60_000)],
  ['release', (store, lease) => store.release(lease, { blameless: true })],
  ['beginStep', (store, lease) => store.beginStep(lease, 'one')],
  ['recordStep', (store, lease) => store.recordStep(lease, recordOf('one'), {}, 'two')],
  ['saveCheckpoint', (store, lease) => store.saveCheckpoint(lease, 1)],
  ['beginRollback', (store, lease) => store.beginRollback(lease, failedEnd)],
  ['recordRollback', (store, lease) => store.recordRollback(lease, 'one', null)],
  ['keepFile', (store, lease, path) => store.keepFile(lease, { name: 'a', mediaType: 'text/plain', path })],
  ['fetch', (store, lease, path) => store.fetch(lease, { kind: 'input' }, `${path}.input`)],
  ['report', (store, lease) => store.report(lease, { ...report, metrics: { a: { b: 1 } } })],
  ['finish', (store, lease) => store.finish(lease, { ...failedEnd, result: null })],
  [
    'finish with a result',
    (store, lease, path) =>
      store.finish(lease, {
        state: 'succeeded',
        error: null,
        result: { path, form: 'value', mediaType: 'application/json', count: 1 },
      }),
  ],
]

describe.each(storeKinds)('taking on $name', (kind) => {
  it('gives the job that has waited longest, of the functions asked for', async () => {
    await using opened = await kind.open()
    const { store } = opened
    await submit(store, { function: 'other' })
    const ids = [await submit(store), await submit(store)]
    expect(await store.take({ worker: 'w', functions: [], leaseMs: 60_000 })).toBeNull()
    expect(await store.take({ worker: 'w', functions: ['none'], leaseMs: 60_000 })).toBeNull()
    const options = { worker: 'w', functions: ['work'], leaseMs: 60_000 }
    expect(await store.take({ ...options, except: ids })).toBeNull()
    const taken = [await tryTake(store), await tryTake(store), await tryTake(store)]
    expect(taken.map((each) => each?.job.id)).toEqual([...ids, undefined])
    expect(taken[0]).toMatchObject({
      lease: { jobId: ids[0], fence: 1 },
      job: { state: 'running', attempt: 1, startedMs: expect.any(Number) },
      steps: [],
      rolledBack: [],
      fields: null,
      runningStep: null,
      pendingEnd: null,
      attemptsInVain: 1,
    })
    expect(taken[0]).toHaveProperty('checkpoint', undefined)
  })

  it('gives a job whose lease has ended to another worker, with a higher fence', async () => {
    await using opened = await kind.open()
    const first = await begin(opened.store)
    await submit(opened.store)
    const second = await takeOver(opened.store, first)
    expect(second).toMatchObject({
      lease: { jobId: first.jobId, fence: first.fence + 1 },
      job: { attempt: 2 },
      attemptsInVain: 2,
    })
    expect(
      (await opened.store.events(first.jobId, 0, 9)).map(({ data }) => [data.state, data.attempt]),
    ).toEqual([
      ['queued', 0],
      ['running', 1],
      ['running', 2],
    ])
  })

  it('renews a lease that has ended, as long as nobody has taken the job', async () => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    await opened.store.renew(lease, 0)
    expect(await opened.store.renew(lease, 60_000)).toEqual({ cancelRequested: false })
    expect(await tryTake(opened.store)).toBeNull()
    await opened.store.renew(lease, 0)
    const options = { worker: 'w', functions: ['work'], leaseMs: 60_000, except: [lease.jobId] }
    expect(await opened.store.take(options)).toBeNull()
    await opened.store.renew(lease, 60_000)
    await opened.store.cancel(lease.jobId, null)
    expect(await opened.store.renew(lease, 60_000)).toEqual({ cancelRequested: true })
  })

  it.each([
    [true, 1],
    [false, 2],
  ])('gives a job back, where blameless is %s with %i attempt in vain', async (blameless, attemptsInVain) => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    await submit(opened.store)
    await opened.store.release(lease, { blameless })
    expect(await opened.store.get(lease.jobId, null)).toMatchObject({ state: 'queued', attempt: 1 })
    expect(await take(opened.store)).toMatchObject({
      lease: { jobId: lease.jobId, fence: lease.fence + 1 },
      job: { attempt: 2 },
      attemptsInVain,
    })
  })

  it('begins to count attempts in vain anew with whatever was recorded', async () => {
    await using opened = await kind.open()
    const { store } = opened
    let { lease } = await takeOver(store, await begin(store))
    const acts: ((held: Lease) => Promise<unknown>)[] = [
      (held) => store.saveCheckpoint(held, 1),
      (held) => store.recordStep(held, recordOf('one'), {}, 'two'),
      (held) => store.beginRollback(held, failedEnd),
      (held) => store.recordRollback(held, 'one', null),
    ]
    for (const act of acts) {
      const again = await takeOver(store, lease)
      expect(again.attemptsInVain).toBeGreaterThan(1)
      await act(again.lease)
      const next = await takeOver(store, again.lease)
      expect(next.attemptsInVain).toBe(1)
      lease = next.lease
    }
  })

  it.each(writes)('refuses %s under a lease that is lost, and changes nothing', async (_, write) => {
    await using opened = await kind.open()
    const { store } = opened
    const path = await opened.write('file', 'x'.repeat(20_000))
    const lost = await begin(store)
    const { lease } = await takeOver(store, lost)
    const refused = { code: 'LEASE_LOST' }
    const snapshot = async () => [
      await store.get(lease.jobId, null),
      await store.events(lease.jobId, 0, 100),
      await opened.ask('SELECT * FROM job'),
      await opened.ask('SELECT * FROM job_step'),
      await opened.ask('SELECT * FROM job_memory'),
      await opened.ask('SELECT job_id, kind, name, shelf_key FROM job_content'),
      await Array.fromAsync(opened.shelf.listOlderThan(-1_000)),
    ]
    const before = await snapshot()
    for (const fence of [lost.fence, lease.fence + 1, 0]) {
      expect(await rejectionOf(write(store, { ...lease, fence }, path))).toMatchObject(refused)
    }
    expect(await rejectionOf(write(store, { ...lease, jobId: 'job_none' }, path))).toMatchObject(refused)
    expect(await snapshot()).toEqual(before)

    await store.release(lease, { blameless: true })
    expect(await rejectionOf(write(store, lease, path))).toMatchObject(refused)
    const last = await take(store)
    await store.finish(last.lease, { ...failedEnd, result: null })
    const after = await snapshot()
    expect(await rejectionOf(write(store, last.lease, path))).toMatchObject(refused)
    expect(await snapshot()).toEqual(after)
  })

  it('lets principals take turns, however many jobs one of them has', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const principals = ['b', 'b', 'b', 'b', 'a', 'c', 'c']
    const ids: Record<string, string[]> = { a: [], b: [], c: [] }
    for (const principal of principals) ids[principal]?.push(await submit(store, { principal }))
    const order: string[] = []
    let after: string | undefined
    for (;;) {
      const options = { worker: 'w', functions: ['work'], leaseMs: 60_000 }
      const taken = await store.take(after === undefined ? options : { ...options, after })
      if (taken === null) break
      after = taken.job.principal
      // Each principal's own come in the order in which they were submitted.
      expect(taken.job.id).toBe(ids[after]?.shift())
      order.push(after)
    }
    expect(order.join('')).toBe('abcbcbb')
  })

  it('goes on with what was begun before it begins anything else', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store, { principal: 'z' })
    await submit(store, { principal: 'a' })
    await store.release(lease, { blameless: true })
    const options = { worker: 'w', functions: ['work'], leaseMs: 60_000, after: 'z' }
    expect((await store.take(options))?.job.id).toBe(lease.jobId)
    expect((await store.take(options))?.job.principal).toBe('a')
  })

  it('never gives a job to two workers that ask at the same moment', async () => {
    await using opened = await kind.open()
    const stores = [opened.store, await opened.openAgain(), await opened.openAgain()]
    for (let count = 0; count < 40; count += 1) await submit(opened.store)
    const taken = await Promise.all(
      Array.from({ length: 60 }, (_, index) => tryTake(stores[index % 3] ?? opened.store)),
    )
    const ids = taken.flatMap((each) => (each === null ? [] : [each.job.id]))
    expect(new Set(ids).size).toBe(ids.length)
    for (let more = await tryTake(opened.store); more !== null; more = await tryTake(opened.store)) {
      ids.push(more.job.id)
    }
    expect(new Set(ids).size).toBe(40)
  })

  it('never gives a job to two of many processes', async () => {
    await using opened = await kind.open()
    for (let count = 0; count < 60; count += 1) await submit(opened.store)
    const script = new URL('fixtures/take-all.ts', import.meta.url).pathname
    const children = Array.from({ length: 3 }, () =>
      Bun.spawn([process.execPath, script, JSON.stringify(opened.place), opened.path('contents')], {
        stdout: 'pipe',
        stderr: 'pipe',
      }),
    )
    const ids = await Promise.all(
      children.map(async (child) => {
        const [text, errors] = await Promise.all([
          new Response(child.stdout).text(),
          new Response(child.stderr).text(),
        ])
        expect({ code: await child.exited, errors }).toEqual({ code: 0, errors: '' })
        return JSON.parse(text) as string[]
      }),
    )
    expect(ids.flat().toSorted()).toEqual(
      (await opened.store.list({ viewer: null, state: null, function: null, before: null, limit: 100 }))
        .map(({ id }) => id)
        .toSorted(),
    )
  })

  it('takes a job of which nothing is known but what its submission said', async () => {
    await using opened = await kind.open()
    const models = ['a\u0000', 'b']
    const head = { ...newJob().head, headers: [['x', 'ü\u0000']] as const }
    await submit(opened.store, { models, head })
    expect(await take(opened.store)).toMatchObject({ models, head, credential: null })
  })
})
