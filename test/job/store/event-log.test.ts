import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NewJobEvent } from '../../../runtime/job/event.ts'
import { admitEvents } from '../../../runtime/job/store/event-log.ts'
import { begin, failedEnd, storeKinds } from './test-store.ts'

const told = (count: number): NewJobEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    atMs: index,
    kind: 'log',
    data: { event: 'e', data: { index } },
  }))

describe('the limit of events', () => {
  const arbitraryEvent: fc.Arbitrary<NewJobEvent> = fc.oneof(
    fc
      .constantFrom('state', 'step', 'file', 'log', 'message', 'progress', 'metrics')
      .map((kind) => ({ atMs: 1, kind, data: {} }) as NewJobEvent),
    fc
      .integer({ min: 1, max: 9 })
      .map((count) => ({ atMs: 1, kind: 'dropped', data: { count } }) as NewJobEvent),
  )

  it('numbers without a gap, keeps what must be kept, and counts all that it drops', () => {
    fc.assert(
      fc.property(fc.array(fc.array(arbitraryEvent)), fc.integer({ min: 0, max: 20 }), (batches, max) => {
        let count = { lastSeq: 0, dropped: 0 }
        const kept = []
        for (const batch of [...batches, [{ atMs: 2, kind: 'state', data: {} } as const]]) {
          const { events, ...next } = admitEvents(count, batch, max)
          kept.push(...events)
          count = next
        }
        const weigh = (events: readonly NewJobEvent[]) =>
          events.reduce((sum, { kind, data }) => sum + (kind === 'dropped' ? Number(data.count) : 1), 0)
        const isKept = ({ kind }: NewJobEvent) => ['state', 'step', 'file'].includes(kind)
        expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, index) => index + 1))
        expect(count).toEqual({ lastSeq: kept.length, dropped: 0 })
        expect(kept.filter(isKept)).toHaveLength(batches.flat().filter(isKept).length + 1)
        expect(weigh(kept)).toBe(weigh(batches.flat()) + 1)
        expect(
          kept.filter((event) => !isKept(event) && event.kind !== 'dropped').every(({ seq }) => seq <= max),
        ).toBe(true)
      }),
    )
  })

  it('takes a count for one event where it is none', () => {
    const odd = [{ atMs: 1, kind: 'dropped', data: { count: Number.NaN } } as const]
    expect(admitEvents({ lastSeq: 5, dropped: 0 }, odd, 5)).toEqual({ events: [], lastSeq: 5, dropped: 1 })
  })
})

describe.each(storeKinds)('events on $name', (kind) => {
  it('are numbered from 1 and read in pieces', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    await store.report(lease, { progress: null, metrics: null, events: told(5) })
    const all = await store.events(lease.jobId, 0, 100)
    expect(all.map(({ seq, kind: what }) => [seq, what])).toEqual([
      [1, 'state'],
      [2, 'state'],
      ...[3, 4, 5, 6, 7].map((seq) => [seq, 'log']),
    ])
    expect(all[2]).toEqual({ seq: 3, atMs: 0, kind: 'log', data: { event: 'e', data: { index: 0 } } })
    expect(await store.events(lease.jobId, 3, 2)).toEqual(all.slice(3, 5))
    expect(await store.events(lease.jobId, 7, 2)).toEqual([])
    expect(await store.events('job_nothing', 0, 10)).toEqual([])
  })

  it('beyond the limit are told of by their number, before the job ends', async () => {
    await using opened = await kind.open({ maxJobEvents: 10 })
    const { store } = opened
    const lease = await begin(store)
    await store.report(lease, { progress: null, metrics: null, events: told(5_000) })
    await store.report(lease, { progress: null, metrics: null, events: told(7) })
    expect(await store.events(lease.jobId, 0, 100)).toHaveLength(10)
    await store.beginStep(lease, 'one')
    await store.report(lease, { progress: null, metrics: null, events: told(3) })
    await store.finish(lease, { ...failedEnd, result: null })
    expect(
      (await store.events(lease.jobId, 10, 100)).map(({ seq, kind: what, data }) => [seq, what, data.count]),
    ).toEqual([
      [11, 'dropped', 4_999],
      [12, 'step', undefined],
      [13, 'dropped', 3],
      [14, 'state', undefined],
    ])
  })

  it('that are too long are dropped, and many at once are kept', async () => {
    await using opened = await kind.open({ maxJobEvents: 100_000 })
    const { store } = opened
    const lease = await begin(store)
    const long: NewJobEvent = { atMs: 1, kind: 'log', data: { event: 'x'.repeat(65_536), data: {} } }
    await store.report(lease, { progress: null, metrics: null, events: [long, ...told(12_345)] })
    await store.finish(lease, { ...failedEnd, result: null })
    const events = await store.events(lease.jobId, 0, 100_000)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.filter((event) => event.kind === 'log')).toHaveLength(12_345)
    expect(events.at(-2)).toMatchObject({ kind: 'dropped', data: { count: 1 } })
  })

  it('carry any text that JSON can', async () => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    const data = { event: 'a\u0000b', data: { '\ud800': ['\u2028', '😀', "';--"] } }
    await opened.store.report(lease, {
      progress: null,
      metrics: null,
      events: [{ atMs: 1, kind: 'log', data }],
    })
    expect((await opened.store.events(lease.jobId, 2, 1))[0]?.data).toEqual(data)
  })
})
