import { SQL, type TransactionSQL } from 'bun'
import { unreachable } from './database-error.ts'

/** Says that a part of the work is done, and the next one has the whole time again. */
export type GoOn = () => void

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
 * `JOB_STORE_UNAVAILABLE` and gives its connections up: they may wait for a network that has lost its way.
 */
export function createPostgresPool(url: string): PostgresPool {
  let current = connect(url)
  let closed = false
  const query = async <Result>(work: (sql: SQL, goOn: GoOn) => Promise<Result>): Promise<Result> => {
    const sql = current
    const { promise: overdue, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      reject(unreachable(new Error(`no answer within ${deadlineMs} ms`)))
      if (sql !== current || closed) return
      current = connect(url)
      void sql.close({ timeout: 0 })
    }, deadlineMs)
    try {
      return await Promise.race([work(sql, () => timer.refresh()), overdue])
    } finally {
      clearTimeout(timer)
    }
  }
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
