import { SQL, type TransactionSQL } from 'bun'
import { hasCode } from '../../model/storage-error.ts'
import { unreachable } from './database-error.ts'
import { DeadlineError, type GoOn, withDeadline } from './deadline.ts'

/** Connections to a PostgreSQL server; those that are lost are made again when they are needed. */
export interface PostgresPool {
  /** Runs queries, which may be run twice where a connection was lost. */
  query<Result>(work: (sql: SQL, goOn: GoOn) => Promise<Result>): Promise<Result>
  transact<Result>(work: (sql: TransactionSQL, goOn: GoOn) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const maxConnections = 8
const connectTimeoutSeconds = 5
// Before a network on the way forgets the connection.
const idleSeconds = 60
const usualDeadlineMs = 10_000

/**
 * Makes a pool, which connects when it is first needed. What takes longer than its deadline fails with
 * `JOB_STORE_UNAVAILABLE`, and all connections are made anew: they may wait for a network that has lost its way.
 */
export function createPostgresPool(url: string, deadlineMs: number = usualDeadlineMs): PostgresPool {
  let current = connect(url, deadlineMs)
  let closed = false
  const line = createLine(maxConnections)
  const renew = (overdue: SQL): void => {
    if (overdue !== current || closed) return
    current = connect(url, deadlineMs)
    void overdue.close({ timeout: 0 })
  }
  const once = <Result>(work: (sql: SQL, goOn: GoOn) => Promise<Result>): Promise<Result> =>
    line.pass(async () => {
      const sql = current
      try {
        return await withDeadline(deadlineMs, (goOn) => work(sql, goOn))
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error
        renew(sql)
        throw unreachable(error)
      }
    })
  return Object.freeze({
    query: <Result>(work: (sql: SQL, goOn: GoOn) => Promise<Result>) =>
      pastLostConnections(() => once(work), always),
    transact<Result>(work: (sql: TransactionSQL, goOn: GoOn) => Promise<Result>) {
      let begun = false
      const attempt = async (sql: SQL, goOn: GoOn): Promise<Result> =>
        (await sql.begin((transaction) => {
          begun = true
          return work(transaction, goOn)
        })) as Result
      return pastLostConnections(
        () => once(attempt),
        () => !begun,
      )
    },
    async close() {
      closed = true
      await current.close({ timeout: 0 })
    },
  })
}

function connect(url: string, deadlineMs: number): SQL {
  return new SQL({
    url,
    max: maxConnections,
    connectionTimeout: connectTimeoutSeconds,
    idleTimeout: idleSeconds,
    connection: {
      application_name: 'isoplex',
      // Whoever is cut off must not go on holding a job that others wait to take.
      statement_timeout: deadlineMs,
      idle_in_transaction_session_timeout: deadlineMs,
    },
  })
}

const always = (): boolean => true

/**
 * Tries again where a connection turns out to have been lost while nobody used it, as long as that can do no harm: each
 * one that the pool has may be such a one.
 */
async function pastLostConnections<Result>(
  work: () => Promise<Result>,
  isHarmless: () => boolean,
): Promise<Result> {
  for (let count = 0; ; count += 1) {
    try {
      return await work()
    } catch (error) {
      const isLost = hasCode(error, 'ERR_POSTGRES_CONNECTION_CLOSED')
      if (!isLost || !isHarmless() || count === maxConnections) throw error
    }
  }
}

/** A line before places: the pool has one of its own, in which time would run already. */
function createLine(places: number) {
  const waiting: (() => void)[] = []
  let free = places
  return Object.freeze({
    async pass<Result>(work: () => Promise<Result>): Promise<Result> {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free += 1
        else next()
      }
    },
  })
}
