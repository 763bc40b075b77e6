import { randomBytes } from 'node:crypto'
import { SQL } from 'bun'
import { requireOrSkip } from './requirement.ts'

/** A database for one test, on a real PostgreSQL server. It is dropped when it is disposed of. */
export interface TestDatabase extends AsyncDisposable {
  /** Where it is. {@link startTcpProxy} makes a way to it that can be cut. */
  readonly url: string
  /** Ends every connection to it and lets none in: the server answers, and refuses. */
  leave(): Promise<void>
  /** Lets connections in again. */
  return(): Promise<void>
}

/** Why there is no PostgreSQL server for tests; `null` where there is one. */
async function absenceOfPostgres(): Promise<string | null> {
  if (process.env.ISOPLEX_POSTGRES_URL === undefined) {
    return 'ISOPLEX_POSTGRES_URL names no server on which databases can be made'
  }
  try {
    await withServer((sql) => sql`SELECT 1`)
    return null
  } catch (error) {
    return `ISOPLEX_POSTGRES_URL cannot be used: ${error instanceof Error ? error.message : error}`
  }
}

/**
 * Whether there is a PostgreSQL server, named by `ISOPLEX_POSTGRES_URL` with a role that may make databases.
 *
 * @example
 * describe.runIf(hasPostgres)('on Postgres', () => { … })
 */
export const hasPostgres: boolean = requireOrSkip('postgres', await absenceOfPostgres())

/** Makes an empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `isoplex_test_${randomBytes(8).toString('hex')}`
  await withServer((sql) => sql.unsafe(`CREATE DATABASE ${name}`))
  const url = serverUrl()
  url.pathname = `/${name}`
  return {
    url: url.href,
    leave: () =>
      withServer(async (sql) => {
        await sql.unsafe(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
        // Those let in before would go on; one that was about to be is listed a little later.
        for (let quiet = 0; quiet < 3; ) {
          const ended = await sql`
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ${name}`
          quiet = ended.length === 0 ? quiet + 1 : 0
        }
      }),
    return: () => withServer((sql) => sql.unsafe(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)),
    [Symbol.asyncDispose]: () => withServer((sql) => sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`)),
  }
}

async function withServer(work: (sql: SQL) => Promise<unknown>): Promise<void> {
  const sql = new SQL({ url: serverUrl().href, max: 1, connectionTimeout: 10 })
  try {
    await work(sql)
  } finally {
    await sql.close()
  }
}

function serverUrl(): URL {
  return new URL(process.env.ISOPLEX_POSTGRES_URL ?? 'postgres:')
}
