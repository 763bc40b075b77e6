import { describe, expect, it } from 'vitest'
import { openJobDatabase } from '../../../runtime/job/store/job-database.ts'
import { createScratch, rejectionOf } from '../../model/scratch.ts'
import { createDatabase, hasPostgres } from '../../support/postgres.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { storeKinds } from './test-store.ts'

const away = { code: 'JOB_STORE_UNAVAILABLE', details: { reason: 'unreachable' } }

describe.each(storeKinds)('the database of jobs on $name', (kind) => {
  it('takes a transaction back as a whole', async () => {
    await using opened = await kind.open()
    const database = await openJobDatabase(opened.place)
    const failure = new Error('text')
    const attempt = database.write(async (sql) => {
      await sql`INSERT INTO job_memory ${sql({ job_id: 'a', kind: 'fields', value: '1' })}`
      expect(await database.read((reading) => reading`SELECT kind FROM job_memory`)).toHaveLength(0)
      throw failure
    })
    expect(await rejectionOf(attempt)).toBe(failure)
    expect(await opened.ask('SELECT * FROM job_memory')).toEqual([])
    await database.close()
  })

  it('has a clock that says the time of the database in milliseconds', async () => {
    await using opened = await kind.open()
    const database = await openJobDatabase(opened.place)
    const rows = await database.read(
      (sql) => sql<{ now_ms: number | string }[]>`SELECT ${sql.unsafe(database.dialect.nowMs)} AS now_ms`,
    )
    expect(Number(rows[0]?.now_ms) % 1).toBe(0)
    expect(Math.abs(Number(rows[0]?.now_ms) - Date.now())).toBeLessThan(3_600_000)
    await database.close()
  })

  it('is refused where a newer isoplex made it, and left alone', async () => {
    await using opened = await kind.open()
    await opened.ask('UPDATE job_schema SET version = 7')
    const error = await rejectionOf(openJobDatabase(opened.place))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('has form 7') })
    expect(await opened.ask('SELECT version FROM job_schema')).toEqual([{ version: 7 }])
  })
})

it('refuses a file that is no database', async () => {
  await using scratch = await createScratch()
  const path = await scratch.write('jobs.sqlite', 'x'.repeat(5_000))
  expect(await rejectionOf(openJobDatabase({ path }))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^The database of jobs /),
  })
})

it('takes a transaction back for which the disk has no room, and goes on once it has', async () => {
  await using scratch = await createScratch()
  const database = await openJobDatabase({ path: scratch.path('jobs.sqlite') })
  const row = { job_id: 'a', kind: 'fields', value: 'x'.repeat(1_000_000) }
  await database.write((sql) => sql`PRAGMA max_page_count = 40`)
  for (const attempt of [1, 2]) {
    const full = database.write(async (sql) => {
      await sql`INSERT INTO job_memory ${sql({ ...row, kind: 'checkpoint', value: `${attempt}` })}`
      await sql`INSERT INTO job_memory ${sql(row)}`
    })
    expect(await rejectionOf(full)).toMatchObject({ code: 'STORAGE_FULL' })
  }
  expect(await database.read((sql) => sql`SELECT kind FROM job_memory`)).toHaveLength(0)
  await database.write((sql) => sql`PRAGMA max_page_count = 1000000`)
  await database.write((sql) => sql`INSERT INTO job_memory ${sql(row)}`)
  expect(await database.read((sql) => sql`SELECT kind FROM job_memory`)).toHaveLength(1)
  await database.close()
})

describe.runIf(hasPostgres)('a database server that is away', () => {
  const countTables = (database: Awaited<ReturnType<typeof openJobDatabase>>) =>
    database.read(async (sql) => (await sql`SELECT * FROM job_schema`).length)

  it('can be waited for from the beginning, and makes its tables when it comes', async () => {
    await using server = await createDatabase()
    await using proxy = await startTcpProxy(server.url)
    await proxy.leave()
    const database = await openJobDatabase({ url: proxy.url })
    expect(await rejectionOf(countTables(database))).toMatchObject(away)
    expect(await rejectionOf(database.write(async () => 1))).toMatchObject(away)
    await proxy.return()
    expect(await countTables(database)).toBe(1)
    await database.close()
  })

  it('takes a transaction back that it was in the middle of, and goes on once it is back', async () => {
    await using server = await createDatabase()
    await using proxy = await startTcpProxy(server.url)
    const database = await openJobDatabase({ url: proxy.url })
    const row = { job_id: 'a', kind: 'fields', value: '1' }
    for (const swallow of [false, true]) {
      const attempt = database.write(async (sql) => {
        await sql`INSERT INTO job_memory ${sql(row)}`
        await proxy.leave()
        // Nothing of what follows may run outside of the transaction.
        const later = sql`INSERT INTO job_memory ${sql({ ...row, kind: 'checkpoint' })}`.execute()
        await (swallow ? later.catch(() => null) : later)
        await proxy.return()
        await sql`INSERT INTO job_memory ${sql({ ...row, kind: 'checkpoint' })}`
      })
      expect(await rejectionOf(attempt)).toMatchObject(away)
      await proxy.return()
      expect(await database.read((sql) => sql`SELECT * FROM job_memory`)).toHaveLength(0)
    }
    await database.write((sql) => sql`INSERT INTO job_memory ${sql(row)}`)
    expect(await database.read((sql) => sql`SELECT * FROM job_memory`)).toHaveLength(1)
    await database.close()
  })

  it('does not have many waiting fail each other', async () => {
    await using server = await createDatabase()
    const database = await openJobDatabase({ url: server.url })
    const rows = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        database.write(async (sql) => {
          await sql`INSERT INTO job_memory ${sql({ job_id: `${index}`, kind: 'fields', value: '1' })}`
          return index
        }),
      ),
    )
    expect(rows).toEqual(rows.map((_, index) => index))
    expect(await database.read((sql) => sql`SELECT * FROM job_memory`)).toHaveLength(200)
    await database.close()
  })

  it('is opened by several servers at once, and made once', async () => {
    await using server = await createDatabase()
    const databases = await Promise.all(Array.from({ length: 6 }, () => openJobDatabase({ url: server.url })))
    for (const database of databases) {
      expect(await countTables(database)).toBe(1)
      await database.close()
    }
  })
})
