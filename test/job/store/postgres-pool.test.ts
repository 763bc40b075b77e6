import { describe, expect, it } from 'vitest'
import { createPostgresPool } from '../../../runtime/job/store/postgres-pool.ts'
import { rejectionOf } from '../../model/scratch.ts'
import { createDatabase, hasPostgres } from '../../support/postgres.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'

const away = { code: 'JOB_STORE_UNAVAILABLE', details: { reason: 'unreachable' } }

describe.runIf(hasPostgres)('a pool of connections', () => {
  it('gives up what hangs, and connects anew', async () => {
    await using server = await createDatabase()
    await using proxy = await startTcpProxy(server.url)
    const pool = createPostgresPool(proxy.url, 500)
    await pool.query((sql) => sql`SELECT 1`)
    proxy.hang()
    const failures = await Promise.all([
      rejectionOf(pool.transact((sql) => sql`SELECT 1`)),
      rejectionOf(pool.query((sql) => sql`SELECT 1`)),
    ])
    for (const failure of failures) expect(failure).toMatchObject(away)
    await proxy.return()
    const rows = await pool.transact((sql) => sql`SELECT 2 AS two`)
    expect([...rows]).toEqual([{ two: 2 }])
    await pool.close()
  })

  it('gives its whole time to each part of a long work', async () => {
    await using server = await createDatabase()
    const pool = createPostgresPool(server.url, 1_000)
    const sum = await pool.transact(async (sql, goOn) => {
      for (let part = 0; part < 4; part += 1) {
        await sql`SELECT pg_sleep(0.4)`
        goOn()
      }
      return 'done'
    })
    expect(sum).toBe('done')
    expect(await rejectionOf(pool.query((sql) => sql`SELECT pg_sleep(5)`))).toBeInstanceOf(Error)
    await pool.close()
  })

  it('lets a server that was cut off hold nothing for longer', async () => {
    await using server = await createDatabase()
    await using proxy = await startTcpProxy(server.url)
    const [cutOff, other] = [createPostgresPool(proxy.url, 1_000), createPostgresPool(server.url, 10_000)]
    await other.query((sql) => sql`CREATE TABLE jobs AS SELECT 1 AS id`)
    const held = cutOff.transact(async (sql) => {
      await sql`SELECT id FROM jobs FOR UPDATE`
      proxy.hang()
      return await sql`SELECT 1`
    })
    expect(await rejectionOf(held)).toMatchObject(away)
    expect([...(await other.transact((sql) => sql`UPDATE jobs SET id = 2 RETURNING id`))]).toEqual([
      { id: 2 },
    ])
    await Promise.all([cutOff.close(), other.close()])
  })

  it('runs a transaction once, also where its connection is lost at the end', async () => {
    await using server = await createDatabase()
    await using proxy = await startTcpProxy(server.url)
    const pool = createPostgresPool(proxy.url)
    let runs = 0
    const lost = pool.transact(async (sql) => {
      runs += 1
      await sql`SELECT 1`
      await proxy.leave()
    })
    expect(await rejectionOf(lost)).toBeInstanceOf(Error)
    expect(runs).toBe(1)
    await proxy.return()
    await pool.query((sql) => sql`SELECT 1`)
    await pool.close()
  })
})
