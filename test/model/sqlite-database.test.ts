import { readFile } from 'node:fs/promises'
import type { TransactionSQL } from 'bun'
import { expect, it } from 'vitest'
import { openSqliteDatabase, type SqliteSchema } from '../../runtime/model/sqlite-database.ts'
import { createScratch, rejectionOf } from './scratch.ts'

const schema: SqliteSchema = {
  title: 'The list',
  form: 1,
  migrate: async (sql: TransactionSQL) => {
    await sql`CREATE TABLE IF NOT EXISTS items (name TEXT PRIMARY KEY) STRICT`
    return 1
  },
  synchronous: 'NORMAL',
}

it('lets transactions be written one after the other, whoever writes them', async () => {
  await using scratch = await createScratch()
  const path = scratch.path('list.sqlite')
  const databases = await Promise.all([openSqliteDatabase(path, schema), openSqliteDatabase(path, schema)])
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      databases[index % 2]?.write(async (sql) => {
        const [row] = await sql<{ count: number }[]>`SELECT count(*) AS count FROM items`
        await sql`INSERT INTO items (name) VALUES (${`item ${row?.count}`})`
      }),
    ),
  )
  const rows = await databases[0].reading<{ name: string }[]>`SELECT name FROM items`
  expect(new Set(rows.map(({ name }) => name)).size).toBe(40)
  for (const database of databases) await database.close()
})

it.each([
  ['FULL', 2],
  ['NORMAL', 1],
] as const)('is as synchronous as %s', async (synchronous, level) => {
  await using scratch = await createScratch()
  const database = await openSqliteDatabase(scratch.path('list.sqlite'), { ...schema, synchronous })
  expect([...(await database.write((sql) => sql`PRAGMA synchronous`))]).toEqual([{ synchronous: level }])
  await database.close()
})

it('leaves nothing in its file of what was removed', async () => {
  await using scratch = await createScratch()
  const path = scratch.path('list.sqlite')
  const database = await openSqliteDatabase(path, schema)
  // The second is longer than a page.
  const secrets = ['a short secret', 'a long secret'.padEnd(10_000, '.')]
  for (const secret of secrets)
    await database.write((sql) => sql`INSERT INTO items (name) VALUES (${secret})`)
  await database.write((sql) => sql`DELETE FROM items WHERE name LIKE 'a long%'`)
  await database.write((sql) => sql`UPDATE items SET name = ''`)
  await database.close()
  expect(await readFile(path, 'latin1')).not.toMatch(/a (?:short|long) secret/)
})

it('names what it is in its refusals', async () => {
  await using scratch = await createScratch()
  const newer = openSqliteDatabase(scratch.path('list.sqlite'), { ...schema, migrate: async () => 2 })
  expect(await rejectionOf(newer)).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^The list .* has form 2, and this isoplex reads form 1/),
  })
  const path = await scratch.write('other.sqlite', 'x'.repeat(5_000))
  expect(await rejectionOf(openSqliteDatabase(path, schema))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^The list .* cannot be opened/),
  })
})
