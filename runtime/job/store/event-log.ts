import type { SQL, TransactionSQL } from 'bun'
import type { JobEvent, JobEventKind, NewJobEvent } from '../event.ts'
import type { BigColumn } from './job-row.ts'

/** How far the events of a job have come. */
export interface EventCount {
  /** The number of the last one. */
  readonly lastSeq: number
  /** How many are kept. */
  readonly kept: number
  /** The number of the progress that is kept; `null` where there is none. */
  readonly progressSeq: number | null
  /** How many were dropped since one told of that. */
  readonly dropped: number
}

/** Events that are to be written, and how far they bring the log. */
export interface AdmittedEvents extends EventCount {
  readonly events: readonly JobEvent[]
  /** The number of the progress that is to go, since there is a newer one; `null` where none is. */
  readonly replacedSeq: number | null
}

// What a watcher cannot do without. There are as many of them as a job has steps, files and attempts.
const lasting: ReadonlySet<JobEventKind> = new Set(['state', 'step', 'file'])

const maxEventBytes = 65_536

/**
 * Numbers events. Of `progress` the newest takes the place of all before it: a long job has no more of them than a short
 * one. Beyond the limit only that one and those of the kinds `state`, `step` and `file` are kept, and so where the data
 * of one is longer than 64 KiB; all others are counted, and a `dropped` event before the next `state`, `step` or `file`
 * tells how many they were. A job ends with a `state`, so that the sum of all `dropped` events is exact then.
 */
export function admitEvents(
  count: EventCount,
  events: readonly NewJobEvent[],
  maxEvents: number,
): AdmittedEvents {
  const admitted: JobEvent[] = []
  let { lastSeq, kept, dropped } = count
  const admit = (event: NewJobEvent): void => {
    lastSeq += 1
    kept += 1
    admitted.push({ ...event, seq: lastSeq })
  }
  const newest = events.findLast(({ kind }) => kind === 'progress')
  for (const event of events) {
    if (event.kind === 'progress') {
      if (event === newest) admit(event)
    } else if (lasting.has(event.kind)) {
      if (dropped > 0) admit({ atMs: event.atMs, kind: 'dropped', data: { count: dropped } })
      dropped = 0
      admit(event)
    } else if (kept < maxEvents && isShort(event)) {
      admit(event)
    } else {
      dropped += weightOf(event)
    }
  }
  const progress = admitted.find(({ kind }) => kind === 'progress')
  const replacedSeq = progress === undefined ? null : count.progressSeq
  if (replacedSeq !== null) kept -= 1
  const progressSeq = progress?.seq ?? count.progressSeq
  return { events: admitted, lastSeq, kept, dropped, progressSeq, replacedSeq }
}

/** How many events are lost with this one. */
function weightOf({ kind, data: { count } }: NewJobEvent): number {
  return kind === 'dropped' && typeof count === 'number' && Number.isSafeInteger(count) ? count : 1
}

function isShort({ data }: NewJobEvent): boolean {
  return Buffer.byteLength(JSON.stringify(data)) <= maxEventBytes
}

// Databases take some ten thousands of parameters in a statement.
const rowsAtOnce = 1_000

/** Writes events that have been numbered. */
export async function insertEvents(
  sql: TransactionSQL,
  jobId: string,
  events: readonly JobEvent[],
): Promise<void> {
  for (let start = 0; start < events.length; start += rowsAtOnce) {
    const rows = events.slice(start, start + rowsAtOnce).map(({ seq, atMs, kind, data }) => ({
      job_id: jobId,
      seq,
      at_ms: atMs,
      kind,
      data: JSON.stringify(data),
    }))
    await sql`INSERT INTO job_event ${sql(rows)}`
  }
}

/** Removes an event. */
export async function removeEvent(sql: TransactionSQL, jobId: string, seq: number): Promise<void> {
  await sql`DELETE FROM job_event WHERE job_id = ${jobId} AND seq = ${seq}`
}

/** Reads events after a number, the oldest first. */
export async function readEvents(
  sql: SQL,
  jobId: string,
  afterSeq: number,
  limit: number,
): Promise<readonly JobEvent[]> {
  const rows = await sql<EventRow[]>`
    SELECT seq, at_ms, kind, data FROM job_event
    WHERE job_id = ${jobId} AND seq > ${afterSeq} ORDER BY seq LIMIT ${limit}`
  return rows.map(({ seq, at_ms, kind, data }) => ({
    seq: Number(seq),
    atMs: Number(at_ms),
    kind,
    data: JSON.parse(data) as JobEvent['data'],
  }))
}

interface EventRow {
  readonly seq: BigColumn
  readonly at_ms: BigColumn
  readonly kind: JobEventKind
  readonly data: string
}
