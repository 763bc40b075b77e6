import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JobEvent } from '../../../runtime/job/event.ts'
import type { JobStore, Lease } from '../../../runtime/job/store.ts'
import { begin, failedEnd, recordOf, storeKinds, submit } from './test-store.ts'

const stepNames = ['one', 'two', 'three']

type Act =
  | { readonly kind: 'take' | 'expire' | 'release' | 'cancel' | 'finish' | 'rollback' | 'report' }
  | { readonly kind: 'begin' | 'record' | 'undo'; readonly step: string }

const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Act[]>({ kind: 'take' }, { kind: 'expire' }, { kind: 'report' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Act[]>(
      { kind: 'release' },
      { kind: 'cancel' },
      { kind: 'finish' },
      { kind: 'rollback' },
    ),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('begin' as const, 'record' as const, 'undo' as const),
      step: fc.constantFrom(...stepNames),
    }),
  },
)
const anyActs = fc.array(fc.record({ worker: fc.nat(1), act: anyAct }), { minLength: 5, maxLength: 40 })

/** A worker of which nothing is known but what the store has told it. */
interface Worker {
  readonly name: string
  lease: Lease | null
}

/** Does what a worker does; whether it was let. */
async function perform(store: JobStore, worker: Worker, act: Act, job: AloneJob): Promise<boolean> {
  try {
    await actOn(store, worker, act, job)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'LEASE_LOST') return false
    throw error
  }
}

async function actOn(store: JobStore, worker: Worker, act: Act, job: AloneJob): Promise<unknown> {
  if (act.kind === 'cancel') return await store.cancel(job.id, null)
  if (act.kind === 'take') {
    const taken = await store.take({ worker: worker.name, functions: [job.name], leaseMs: 60_000 })
    if (taken !== null) worker.lease = taken.lease
    return
  }
  const { lease } = worker
  if (lease === null) return
  switch (act.kind) {
    case 'expire':
      return await store.renew(lease, 0)
    case 'release':
      return await store.release(lease, { blameless: false })
    case 'finish':
      return await store.finish(lease, { ...failedEnd, result: null })
    case 'rollback':
      return await store.beginRollback(lease, failedEnd)
    case 'report':
      return await store.report(lease, {
        progress: null,
        metrics: null,
        events: [{ atMs: 1, kind: 'log', data: { fence: lease.fence } }],
      })
    case 'begin':
      return await store.beginStep(lease, act.step)
    case 'record':
      return await store.recordStep(lease, recordOf(act.step, { data: { fence: lease.fence } }), {}, null)
    case 'undo':
      return await store.recordRollback(lease, act.step, null)
  }
}

/** What holds for the events of a job, whatever was done to it. */
function assertSound(events: readonly JobEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  for (const step of stepNames) {
    const told = events.filter(({ kind, data }) => kind === 'step' && data.step === step)
    expect(told.filter(({ data }) => data.state === 'done').length).toBeLessThanOrEqual(1)
    expect(told.filter(({ data }) => data.state === 'rolled-back').length).toBeLessThanOrEqual(1)
  }
  const states = events.filter(({ kind }) => kind === 'state').map(({ data }) => String(data.state))
  const firstEnd = states.findIndex((state) => state !== 'queued' && state !== 'running')
  if (firstEnd === -1) return
  expect(firstEnd).toBe(states.length - 1)
  expect(events.at(-1)?.kind).toBe('state')
}

/** Each report carries the fence of its lease: those of a lost lease would come after those of a newer one. */
function assertFenced(events: readonly JobEvent[]): void {
  const fences = events.filter(({ kind }) => kind === 'log').map(({ data }) => Number(data.fence))
  expect(fences.toSorted((one, other) => one - other)).toEqual(fences)
}

let functions = 0

/** Submits a job of a function that has no other one, so that nothing of earlier runs is ever taken. */
async function submitAlone(store: JobStore): Promise<AloneJob> {
  functions += 1
  const name = `work-${functions}`
  return { name, id: await submit(store, { function: name }) }
}

interface AloneJob {
  readonly name: string
  readonly id: string
}

describe.each(storeKinds)('two workers with one job on $name', (kind) => {
  it('change it only under the newest lease, one after the other', async () => {
    await using opened = await kind.open()
    const stores = [opened.store, await opened.openAgain()]
    await fc.assert(
      fc.asyncProperty(anyActs, async (acts) => {
        const job = await submitAlone(opened.store)
        const workers: Worker[] = [
          { name: 'first', lease: null },
          { name: 'second', lease: null },
        ]
        const model = { fence: 0, running: false, expired: false, ended: false }
        const recorded = new Map<string, number>()
        for (const { worker: index, act } of acts) {
          const [worker, store] = [workers[index], stores[index]]
          if (worker === undefined || store === undefined) throw new Error('there are two of each')
          const held = worker.lease
          const holds = held !== null && held.fence === model.fence && model.running
          const allowed = await perform(store, worker, act, job)
          if (act.kind === 'take') {
            const isFree = !model.ended && (!model.running || model.expired)
            expect(worker.lease !== held).toBe(isFree)
            if (isFree) Object.assign(model, { fence: model.fence + 1, running: true, expired: false })
            expect(worker.lease === held || worker.lease?.fence === model.fence).toBe(true)
          } else if (act.kind === 'cancel') {
            model.ended = (await store.get(job.id, null)).endedMs !== null
            if (model.ended) model.running = false
          } else {
            expect(allowed).toBe(held === null || holds)
            if (!holds) continue
            if (act.kind === 'expire') model.expired = true
            if (act.kind === 'release') model.running = false
            if (act.kind === 'finish') Object.assign(model, { running: false, ended: true })
            if (act.kind === 'record' && !recorded.has(act.step)) recorded.set(act.step, held.fence)
            if (act.kind === 'undo' && !recorded.has(act.step)) recorded.set(act.step, -1)
          }
        }
        const events = await opened.store.events(job.id, 0, 1_000)
        assertSound(events)
        assertFenced(events)
        const seen = await opened.store.get(job.id, null)
        expect(seen.endedMs !== null).toBe(model.ended)
        expect(seen.attempt).toBe(model.fence)
        expect(new Set(seen.steps.map(({ name }) => name))).toEqual(new Set(recorded.keys()))
      }),
      { numRuns: 25 },
    )
  })

  it('keep it sound when they act at the same time', async () => {
    await using opened = await kind.open()
    const stores = [opened.store, await opened.openAgain()]
    await fc.assert(
      fc.asyncProperty(anyActs, async (acts) => {
        const job = await submitAlone(opened.store)
        await Promise.all(
          stores.map(async (store, index) => {
            const worker: Worker = { name: `worker ${index}`, lease: null }
            for (const { act } of acts.filter((each) => each.worker === index)) {
              await perform(store, worker, act, job)
            }
          }),
        )
        const events = await opened.store.events(job.id, 0, 1_000)
        assertSound(events)
        assertFenced(events)
      }),
      { numRuns: 25 },
    )
  })

  it('write its events without a gap when they come all at once', async () => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    const other = await opened.openAgain()
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 ? other : opened.store).report(lease, {
          progress: null,
          metrics: null,
          events: [0, 1, 2].map(() => ({ atMs: 1, kind: 'log', data: { fence: 1 } }) as const),
        }),
      ),
    )
    const events = await other.events(lease.jobId, 0, 1_000)
    expect(events).toHaveLength(122)
    assertSound(events)
  })
})
