import { SQL } from 'bun'
import { describe, expect, it } from 'vitest'
import { createServerShelf } from '../../../runtime/job/content/server-shelf.ts'
import { describeContentShelf, listed, patternOf } from '../../contract/content-shelf.ts'
import { createDatabase, hasPostgres } from '../../support/postgres.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'

const source = new URL('../../../runtime/job/content/server-shelf.ts', import.meta.url).pathname

describe.runIf(hasPostgres)('a shelf in a table', () => {
  describeContentShelf(async () => {
    const database = await createDatabase()
    const shelf = createServerShelf(database.url)
    return {
      shelf,
      code: `const { createServerShelf } = await import(${JSON.stringify(source)})
        return createServerShelf(${JSON.stringify(database.url)})`,
      async [Symbol.asyncDispose]() {
        await shelf.close()
        await database[Symbol.asyncDispose]()
      },
    }
  })

  it('is made once, however many open it at once', async () => {
    await using database = await createDatabase()
    const shelves = Array.from({ length: 5 }, () => createServerShelf(database.url))
    await Promise.all(shelves.map((shelf, index) => shelf.put({ bytes: patternOf(index) }, `job/${index}`)))
    expect(await shelves[0]?.read('job/4', 0, 9)).toEqual(patternOf(4))
    await Promise.all(shelves.map((shelf) => shelf.close()))
  })

  it('has nothing of a put during which the database went away, and goes on when it is back', async () => {
    await using database = await createDatabase()
    const shelf = createServerShelf(database.url)
    await shelf.put({ bytes: patternOf(5) }, 'job/kept')
    const { stuck, gone } = stopAtChunk(database.url, 'job/broken', 3)
    await stuck
    const broken = expect(shelf.put({ bytes: patternOf(8_000_000) }, 'job/broken')).rejects.toMatchObject(
      away,
    )
    await untilWaiting(database.url)
    await database.leave()
    await Promise.all([broken, gone])
    await expect(shelf.read('job/kept', 0, 5)).rejects.toMatchObject(away)
    await expect(shelf.put({ bytes: patternOf(5) }, 'job/kept')).rejects.toMatchObject(away)
    await expect(shelf.remove(['job/kept'])).rejects.toMatchObject(away)
    await expect(listed(shelf, 0)).rejects.toMatchObject(away)
    await database.return()
    expect(await listed(shelf, -1_000)).toEqual(['job/kept'])
    await shelf.put({ bytes: patternOf(7) }, 'job/broken')
    expect(await shelf.read('job/broken', 0, 9)).toEqual(patternOf(7))
    await shelf.close()
  })

  it('need not be there when it is opened', async () => {
    await using database = await createDatabase()
    await using proxy = await startTcpProxy(database.url)
    await proxy.leave()
    const shelf = createServerShelf(proxy.url)
    await expect(shelf.put({ bytes: patternOf(5) }, 'job/kept')).rejects.toMatchObject(away)
    await proxy.return()
    await shelf.put({ bytes: patternOf(5) }, 'job/kept')
    expect(await shelf.read('job/kept', 0, 9)).toEqual(patternOf(5))
    await shelf.close()
  })

  it('lists more than one batch', async () => {
    await using database = await createDatabase()
    const shelf = createServerShelf(database.url)
    const keys = Array.from({ length: 1_234 }, (_, index) => `job_${String(index).padStart(5, '0')}/input`)
    await Promise.all(keys.map((key) => shelf.put({ bytes: patternOf(1) }, key)))
    expect(await listed(shelf, -1_000)).toEqual(keys)
    await shelf.close()
  })
})

const away = { code: 'JOB_STORE_UNAVAILABLE', details: { reason: 'unreachable' } }

/** Has a chunk of a key written by somebody who does not end, so that whoever comes to that chunk waits there. */
function stopAtChunk(
  url: string,
  key: string,
  number: number,
): { readonly stuck: Promise<void>; readonly gone: Promise<void> } {
  const sql = new SQL({ url, max: 1 })
  const { promise: stuck, resolve } = Promise.withResolvers<void>()
  const transaction = sql.begin(async (open) => {
    await open`INSERT INTO isoplex_job_contents (key, number, bytes) VALUES (${key}, ${number}, ${new Uint8Array(1)})`
    resolve()
    // It ends with its connection.
    await open`SELECT pg_sleep(3600)`
  })
  return { stuck, gone: expect(transaction).rejects.toThrow() }
}

/** Until somebody waits for another's row. */
async function untilWaiting(url: string): Promise<void> {
  const sql = new SQL({ url, max: 1 })
  for (let count = 0; count === 0; ) {
    const [row] = await sql`
      SELECT count(*)::integer AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`
    count = row.count
  }
  await sql.close()
}
