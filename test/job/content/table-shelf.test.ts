import { SQL } from 'bun'
import { describe, expect, it } from 'vitest'
import { openTableShelf } from '../../../runtime/job/content/table-shelf.ts'
import { describeContentShelf, listed, patternOf } from '../../contract/content-shelf.ts'
import { rejectionOf } from '../../model/scratch.ts'
import { createDatabase, hasPostgres } from '../../support/postgres.ts'

const source = new URL('../../../runtime/job/content/table-shelf.ts', import.meta.url).pathname

describe.runIf(hasPostgres)('a shelf in a table', () => {
  describeContentShelf(async () => {
    const database = await createDatabase()
    const sql = new SQL(database.url)
    return {
      shelf: await openTableShelf(sql),
      code: `const { openTableShelf } = await import(${JSON.stringify(source)})
        return openTableShelf(new Bun.SQL(${JSON.stringify(database.url)}))`,
      async [Symbol.asyncDispose]() {
        await sql.close()
        await database[Symbol.asyncDispose]()
      },
    }
  })

  it('is made once, however many open it at once', async () => {
    await using database = await createDatabase()
    const servers = Array.from({ length: 5 }, () => new SQL({ url: database.url, max: 1 }))
    const shelves = await Promise.all(servers.map(openTableShelf))
    await shelves[0]?.put({ bytes: patternOf(3) }, 'job/input')
    expect(await shelves[4]?.read('job/input', 0, 3)).toEqual(patternOf(3))
    await Promise.all(servers.map((sql) => sql.close()))
  })

  it('has nothing of a put that the database did not live to end', async () => {
    await using database = await createDatabase()
    const sql = new SQL({ url: database.url, max: 2 })
    const shelf = await openTableShelf(sql)
    await shelf.put({ bytes: patternOf(5) }, 'job/kept')
    const broken = rejectionOf(shelf.put({ bytes: patternOf(32_000_000) }, 'job/broken'))
    const watcher = new SQL({ url: database.url, max: 1 })
    while ((await openTransactions(watcher)) === 0) await Bun.sleep(1)
    await watcher.close()
    await database.leave()
    await broken
    await rejectionOf(shelf.read('job/kept', 0, 5))
    await database.return()
    expect(await shelf.read('job/kept', 0, 9)).toEqual(patternOf(5))
    expect(await listed(shelf, -1_000)).toEqual(['job/kept'])
    await shelf.put({ bytes: patternOf(7) }, 'job/broken')
    expect(await shelf.read('job/broken', 0, 9)).toEqual(patternOf(7))
    await sql.close()
  })

  it('lists more than one batch', async () => {
    await using database = await createDatabase()
    const sql = new SQL({ url: database.url, max: 2 })
    const shelf = await openTableShelf(sql)
    const keys = Array.from({ length: 1_234 }, (_, index) => `job_${String(index).padStart(5, '0')}/input`)
    await Promise.all(keys.map((key) => shelf.put({ bytes: patternOf(1) }, key)))
    expect(await listed(shelf, -1_000)).toEqual(keys)
    await sql.close()
  })
})

async function openTransactions(sql: SQL): Promise<number> {
  const [row] = await sql`
    SELECT count(*)::integer AS count FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xid IS NOT NULL`
  return row.count
}
