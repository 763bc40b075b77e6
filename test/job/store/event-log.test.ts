import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JobEvent, NewJobEvent } from '../../../runtime/job/event.ts'
import { admitEvents, type EventCount } from '../../../runtime/job/store/event-log.ts'
import { begin, failedEnd, storeKinds, takeOver } from './test-store.ts'

const noNews = { progress: null, metrics: null, events: [] }

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
      .chain((kind) => fc.nat().map((atMs) => ({ atMs, kind, data: {} }) as NewJobEvent)),
    fc
      .integer({ min: 1, max: 9 })
      .map((count) => ({ atMs: 1, kind: 'dropped', data: { count } }) as NewJobEvent),
  )

  it('keeps what must be kept and the newest progress, and counts all that it drops', () => {
    fc.assert(
      fc.property(fc.array(fc.array(arbitraryEvent)), fc.integer({ min: 0, max: 20 }), (batches, max) => {
        let count: EventCount = { lastSeq: 0, kept: 0, dropped: 0, progressSeq: null }
        let kept: readonly JobEvent[] = []
        for (const batch of [...batches, [{ atMs: 2, kind: 'state', data: {} } as const]]) {
          const { events, replacedSeq, ...next } = admitEvents(count, batch, max)
          kept = [...kept.filter(({ seq }) => seq !== replacedSeq), ...events]
          expect(next.kept).toBe(kept.length)
          expect(next.lastSeq).toBeGreaterThanOrEqual(kept.at(-1)?.seq ?? 0)
          count = next
        }
        const weigh = (events: readonly NewJobEvent[]) =>
          events.reduce((sum, { kind, data }) => sum + (kind === 'dropped' ? Number(data.count) : 1), 0)
        const isKept = ({ kind }: NewJobEvent) => ['state', 'step', 'file'].includes(kind)
        const isProgress = ({ kind }: NewJobEvent) => kind === 'progress'
        const isOther = (event: NewJobEvent) => !isProgress(event)
        const all = batches.flat()
        expect(kept.every(({ seq }, index) => seq > (kept[index - 1]?.seq ?? 0))).toBe(true)
        expect(count.dropped).toBe(0)
        expect(kept.filter(isKept)).toHaveLength(all.filter(isKept).length + 1)
        expect(kept.filter(isProgress)).toEqual(
          all.filter(isProgress).length === 0 ? [] : [expect.objectContaining(all.findLast(isProgress))],
        )
        expect(weigh(kept.filter(isOther))).toBe(weigh(all.filter(isOther)) + 1)
        const bounded = kept.filter((event) => isOther(event) && !isKept(event) && event.kind !== 'dropped')
        expect(bounded.length).toBeLessThanOrEqual(max)
      }),
    )
  })

  it('takes a count for one event where it is none', () => {
    const odd = [{ atMs: 1, kind: 'dropped', data: { count: Number.NaN } } as const]
    const count = { lastSeq: 5, kept: 5, dropped: 0, progressSeq: null }
    expect(admitEvents(count, odd, 5)).toMatchObject({ events: [], lastSeq: 5, dropped: 1 })
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

  it('of progress are one, the newest, however many there were', async () => {
    await using opened = await kind.open({ maxJobEvents: 100 })
    const { store } = opened
    const lease = await begin(store)
    for (let index = 1; index <= 150; index += 1) {
      const progress = { overall: index / 2, current: null, categories: {} }
      await store.report(lease, { progress, metrics: null, events: index % 3 === 0 ? told(1) : [] })
    }
    const events = await store.events(lease.jobId, 0, 1_000)
    expect(events.filter((event) => event.kind === 'log')).toHaveLength(50)
    expect(events.filter((event) => event.kind === 'progress')).toEqual([
      {
        seq: 202,
        atMs: expect.any(Number),
        kind: 'progress',
        data: { overall: 75, current: null, categories: {} },
      },
    ])
    const { fence } = await takeOver(store, lease).then((taken) => taken.lease)
    await store.report(
      { ...lease, fence },
      { ...noNews, progress: { overall: 10, current: null, categories: {} } },
    )
    const later = await store.events(lease.jobId, 202, 10)
    expect(later.map((event) => [event.kind, event.data.overall])).toEqual([
      ['state', undefined],
      ['progress', 75],
    ])
    expect(await store.events(lease.jobId, 0, 1_000)).toHaveLength(54)
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
