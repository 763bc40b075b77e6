import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { JobEvent } from '../../runtime/job/event.ts'
import { JobFeed } from '../../runtime/job/feed.ts'
import type { JobStore, Lease } from '../../runtime/job/store.ts'
import { begin, storeKinds, submit, type TestStore } from './store/test-store.ts'

const never = new AbortController().signal
const rarely = 1_000_000
const sqlite = storeKinds.find(({ name }) => name === 'SQLite')

let place: TestStore
let asked: string[]
let feed: JobFeed
/** The store, which notes what it is asked. */
let store: JobStore

beforeEach(async () => {
  if (!sqlite) throw new Error('SQLite is always there')
  place = await sqlite.open()
  asked = []
  store = {
    ...place.store,
    get: (id, viewer) => {
      asked.push('get')
      return place.store.get(id, viewer)
    },
    events: (id, afterSeq, limit) => {
      asked.push(`events ${afterSeq}`)
      return place.store.events(id, afterSeq, limit)
    },
  }
  feed = new JobFeed(store, { everyMs: rarely, batchSize: 10 })
})
afterEach(async () => {
  feed[Symbol.dispose]()
  await place[Symbol.asyncDispose]()
})

const tell = async (lease: Lease, ...texts: readonly string[]): Promise<void> => {
  const events = texts.map((text) => ({
    atMs: 1,
    kind: 'message' as const,
    data: { message: text, level: 'info' },
  }))
  await store.report(lease, { progress: null, metrics: null, events })
  feed.notice(lease.jobId)
}
const end = async (lease: Lease): Promise<void> => {
  await store.finish(lease, { state: 'succeeded', error: null, result: null })
  feed.notice(lease.jobId)
}
const collect = async (events: AsyncIterable<readonly JobEvent[]>): Promise<JobEvent[]> =>
  (await Array.fromAsync(events)).flat()
const seqs = (events: readonly JobEvent[]): readonly number[] => events.map(({ seq }) => seq)

describe('the feed of a job', () => {
  it('gives all events as they come, and ends with the job', async () => {
    const lease = await begin(store)
    const events = feed.events(lease.jobId, 0, never)
    const first = await events.next()
    expect(first.value?.map(({ kind }: JobEvent) => kind)).toEqual(['state', 'state'])
    await tell(lease, 'one')
    expect((await events.next()).value).toMatchObject([{ seq: 3, data: { message: 'one' } }])
    await tell(lease, 'two')
    await end(lease)
    const rest = await collect(events)
    expect(seqs(rest)).toEqual([4, 5, 6])
    expect(rest.at(-1)).toMatchObject({ kind: 'state', data: { state: 'succeeded' } })
  })

  it('gives those of a job that has ended from any number on, in batches', async () => {
    const lease = await begin(store)
    await tell(lease, ...Array.from({ length: 25 }, (_, index) => String(index)))
    await end(lease)
    const all = await collect(feed.events(lease.jobId, 0, never))
    expect(seqs(all)).toEqual(Array.from({ length: 29 }, (_, index) => index + 1))
    expect(seqs(await collect(feed.events(lease.jobId, 20, never)))).toEqual(seqs(all).slice(20))
    for (const beyond of [29, 1_000]) {
      expect(await collect(feed.events(lease.jobId, beyond, never))).toEqual([])
    }
  })

  it('asks the store once for all who have seen the same', async () => {
    const lease = await begin(store)
    const watchers = Array.from({ length: 200 }, () => collect(feed.events(lease.jobId, 0, never)))
    await tell(lease, 'one')
    await expect.poll(() => asked.length).toBeGreaterThan(0)
    await tell(lease, 'two')
    await end(lease)
    const seen = await Promise.all(watchers)
    for (const events of seen) expect(seqs(events)).toEqual([1, 2, 3, 4, 5, 6])
    expect(asked.length).toBeLessThan(20)
  })

  it('finds by itself what other servers have written', async () => {
    const often = new JobFeed(store, { everyMs: 5 })
    const lease = await begin(store)
    const events = collect(often.events(lease.jobId, 0, never))
    await store.finish(lease, { state: 'succeeded', error: null, result: null })
    expect(await events).toHaveLength(4)
    often[Symbol.dispose]()
  })

  it('waits while the store is away', async () => {
    const lease = await begin(store)
    const { value: events = [] } = await feed.events(lease.jobId, 0, never).next()
    expect(events).toHaveLength(2)
    let away = true
    const patient = new JobFeed(
      {
        get: store.get,
        events: (id, afterSeq, limit) => {
          if (!away) return store.events(id, afterSeq, limit)
          return Promise.reject(
            new IsoplexError('JOB_STORE_UNAVAILABLE', 'away', {
              details: { reason: 'unreachable', retryAfterMs: 1 },
            }),
          )
        },
      },
      { everyMs: 2 },
    )
    const coming = patient.events(lease.jobId, 0, never).next()
    away = false
    expect((await coming).value).toHaveLength(2)
    patient[Symbol.dispose]()
  })

  it('ends with its signal, with itself, and with a job that is forgotten', async () => {
    const id = await submit(store)
    const gone = new AbortController()
    const watching = collect(feed.events(id, 1, gone.signal))
    gone.abort()
    expect(await watching).toEqual([])
    const open = collect(feed.events(id, 1, never))
    const waiting = feed.ended(id, never)
    feed[Symbol.dispose]()
    expect(await open).toEqual([])
    expect(await waiting).toBeNull()
    const another = new JobFeed(store)
    await expect(collect(another.events('job_nothing', 0, never))).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    })
    another[Symbol.dispose]()
  })

  it('waits for the end of a job', async () => {
    const lease = await begin(store)
    const waiting = feed.ended(lease.jobId, never)
    await tell(lease, 'one')
    await end(lease)
    expect(await waiting).toMatchObject({ id: lease.jobId, state: 'succeeded' })
    expect(await feed.ended(lease.jobId, never)).toMatchObject({ state: 'succeeded' })
  })
})
