import type { SQL } from 'bun'
import { IsoplexError } from '../../error/error.ts'
import type { JobLimits } from '../store.ts'
import type { BigColumn } from './job-row.ts'

/**
 * Whether there is room for more jobs. To count a long queue for each submission would take longer than all the rest,
 * hence the last count is gone on with: it is never too low but for jobs that other servers have taken in during the
 * last second.
 */
export interface JobRoom {
  /**
   * Whether there is room for one more job now.
   *
   * @throws {IsoplexError} `QUEUE_FULL`, `SHARE_EXCEEDED`
   */
  check(sql: SQL, principal: string, limits: JobLimits): Promise<void>
  /**
   * Finds room for one more job, in the transaction that adds it.
   *
   * @throws {IsoplexError} as {@link JobRoom.check} does
   */
  reserve(sql: SQL, principal: string, limits: JobLimits): Promise<void>
  /** Is told that a job has left the queue or has ended: there may be room again. */
  leave(): void
}

const countsHoldMs = 1_000
const retryAfterMs = 5_000

interface Count {
  value: number
  readonly atMs: number
  /** How many jobs had left when it was counted. */
  readonly left: number
}

/** Makes one that has counted nothing yet. */
export function createJobRoom(): JobRoom {
  let queued: Count | undefined
  const own = new Map<string, Count>()
  let left = 0
  const isGood = (count: Count | undefined, limit: number): count is Count =>
    count !== undefined &&
    performance.now() - count.atMs < countsHoldMs &&
    (count.value < limit || count.left === left)
  const toCount = (value: number): Count => ({ value, atMs: performance.now(), left })
  const countQueued = async (sql: SQL, limit: number): Promise<Count> => {
    if (isGood(queued, limit)) return queued
    const counted = toCount(await readQueued(sql))
    // Whoever was quicker has reserved on its count by now.
    if (!isGood(queued, limit)) queued = counted
    return queued
  }
  const countOwn = async (sql: SQL, principal: string, limit: number): Promise<Count> => {
    const known = own.get(principal)
    if (isGood(known, limit)) return known
    const counted = toCount(await readOwn(sql, principal))
    const quicker = own.get(principal)
    if (isGood(quicker, limit)) return quicker
    for (const [name, count] of own) if (!isGood(count, Infinity)) own.delete(name)
    own.set(principal, counted)
    return counted
  }
  const findRoom = async (sql: SQL, principal: string, limits: JobLimits): Promise<readonly Count[]> => {
    const ownCount = await countOwn(sql, principal, limits.maxJobsPerPrincipal)
    if (ownCount.value >= limits.maxJobsPerPrincipal) throw shareExceeded(limits)
    const queuedCount = await countQueued(sql, limits.maxQueuedJobs)
    if (queuedCount.value >= limits.maxQueuedJobs) throw queueFull(limits)
    return [ownCount, queuedCount]
  }
  return Object.freeze({
    async check(sql: SQL, principal: string, limits: JobLimits) {
      await findRoom(sql, principal, limits)
    },
    async reserve(sql: SQL, principal: string, limits: JobLimits) {
      for (const count of await findRoom(sql, principal, limits)) count.value += 1
    },
    leave() {
      left += 1
    },
  })
}

async function readQueued(sql: SQL): Promise<number> {
  const [row] = await sql<{ count: BigColumn }[]>`SELECT count(*) AS count FROM job WHERE state = 'queued'`
  return Number(row?.count)
}

async function readOwn(sql: SQL, principal: string): Promise<number> {
  const [row] = await sql<{ count: BigColumn }[]>`
    SELECT count(*) AS count FROM job WHERE principal = ${principal} AND ended_ms IS NULL`
  return Number(row?.count)
}

function shareExceeded({ maxJobsPerPrincipal }: JobLimits): IsoplexError<'SHARE_EXCEEDED'> {
  return new IsoplexError(
    'SHARE_EXCEEDED',
    `The caller has ${maxJobsPerPrincipal} jobs that have not ended, which is its share; wait for some of them to end, or cancel some.`,
    { details: { retryAfterMs } },
  )
}

function queueFull({ maxQueuedJobs }: JobLimits): IsoplexError<'QUEUE_FULL'> {
  return new IsoplexError('QUEUE_FULL', `${maxQueuedJobs} jobs wait already; submit it again later.`, {
    details: { retryAfterMs },
  })
}
