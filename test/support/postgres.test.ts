import { SQL } from 'bun'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rejectionOf } from '../model/scratch.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'
import { startTcpProxy } from './tcp-proxy.ts'

describe.runIf(hasPostgres)('a database for a test', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase()
  })
  afterAll(() => database[Symbol.asyncDispose]())

  it('is empty, and nobody else’s', async () => {
    await using other = await createDatabase()
    const [mine, theirs] = [new SQL(database.url), new SQL(other.url)]
    await mine`CREATE TABLE a AS SELECT 1 AS b`
    expect([...(await mine`SELECT b FROM a`)]).toEqual([{ b: 1 }])
    expect(await rejectionOf(theirs`SELECT b FROM a`.execute())).toMatchObject({ errno: '42P01' })
    await Promise.all([mine.close(), theirs.close()])
  })

  it('goes away and comes back', async () => {
    await using other = await createDatabase()
    const [sql, untouched] = [new SQL({ url: database.url, max: 1 }), new SQL({ url: other.url, max: 1 })]
    await Promise.all([sql`SELECT 1`, untouched`SELECT 1`])
    await database.leave()
    for (let count = 0; count < 3; count += 1) await rejectionOf(sql`SELECT 1`.execute())
    await untouched`SELECT 1`
    await database.return()
    expect([...(await sql`SELECT 1 AS a`)]).toEqual([{ a: 1 }])
    await Promise.all([sql.close(), untouched.close()])
  })

  it('can be reached by a way that is cut and mended', async () => {
    await using proxy = await startTcpProxy(database.url)
    const sql = new SQL({ url: proxy.url, max: 1, connectionTimeout: 5 })
    await sql`SELECT 1`
    await proxy.leave()
    await rejectionOf(sql`SELECT 1`.execute())
    expect(await rejectionOf(sql`SELECT 1`.execute())).toMatchObject({
      code: 'ERR_POSTGRES_CONNECTION_REFUSED',
    })
    await proxy.return()
    await sql`SELECT 1`
    proxy.hang()
    let isAnswered = false
    const asked = sql`SELECT 1 AS a`.then((rows: readonly unknown[]) => {
      isAnswered = true
      return rows
    })
    const direct = new SQL({ url: database.url, max: 1 })
    await direct`SELECT 1`
    expect(isAnswered).toBe(false)
    await proxy.return()
    expect([...(await asked)]).toEqual([{ a: 1 }])
    await Promise.all([sql.close(), direct.close()])
  })
})
