import { SQL, type TransactionSQL } from 'bun'
import { unreachable } from './database-error.ts'
import { DeadlineError, type GoOn, withDeadline } from './deadline.ts'

/** Connections to a PostgreSQL server; those that are lost are made again when they are needed. */
export interface PostgresPool {
  query<Result>(work: (sql: SQL, goOn: GoOn) => Promise<Result>): Promise<Result>
  transact<Result>(work: (sql: TransactionSQL, goOn: GoOn) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const maxConnections = 8
const connectTimeoutSeconds = 5
const deadlineMs = 10_000

/**
 * Makes a pool, which connects when it is first needed. What takes longer than ten seconds fails with
 * `JOB_STORE_UNAVAILABLE`, and all connections are made anew: they may wait for a network that has lost its way.
 */
export function createPostgresPool(url: string): PostgresPool {
  let current = connect(url)
  let closed = false
  const line = createLine(maxConnections)
  const renew = (overdue: SQL): void => {
    if (overdue !== current || closed) return
    current = connect(url)
    void overdue.close({ timeout: 0 })
  }
  const query = <Result>(work: (sql: SQL, goOn: GoOn) => Promise<Result>): Promise<Result> =>
    line.pass(async () => {
      const sql = current
      try {
        return await withDeadline(deadlineMs, (goOn) => work(sql, goOn))
      } catch (error) {
        if (error instanceof DeadlineError) renew(sql)
        throw error instanceof DeadlineError ? unreachable(error) : error
      }
    })
  return Object.freeze({
    query,
    transact: <Result>(work: (sql: TransactionSQL, goOn: GoOn) => Promise<Result>) =>
      query(async (sql, goOn) => (await sql.begin((open) => work(open, goOn))) as Result),
    async close() {
      closed = true
      await current.close({ timeout: 0 })
    },
  })
}

function connect(url: string): SQL {
  return new SQL({
    url,
    max: maxConnections,
    connectionTimeout: connectTimeoutSeconds,
    connection: {
      application_name: 'isoplex',
      // Whoever is cut off must not go on holding a job that others wait to take.
      statement_timeout: deadlineMs,
      idle_in_transaction_session_timeout: deadlineMs,
    },
  })
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
