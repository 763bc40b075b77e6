import type { SQL } from 'bun'
import type { PostgresPool } from '../store/postgres-pool.ts'
import { fetchInPieces, readSource } from './content-file.ts'
import { assertContentKey, missingContent } from './content-key.ts'
import type { ContentShelf, ContentSource } from './content-shelf.ts'

const chunkBytes = 1_048_576
const batchSize = 500

/** Held while the table is made, so that several servers may do so at once. */
const makingLock = 7_411_806_213

/**
 * A shelf in a table of a PostgreSQL database, in chunks of 1 MiB. A put is one transaction, which leaves nothing where
 * it does not end. What is wrong with the database is thrown as it comes.
 */
export function createTableShelf(pool: PostgresPool): ContentShelf {
  const shelf: ContentShelf = {
    async put(source: ContentSource, key: string) {
      assertContentKey(key)
      await pool.transact(async (sql, goOn) => {
        await sql`DELETE FROM isoplex_job_contents WHERE key = ${key}`
        let number = 0
        for await (const bytes of readSource(source, chunkBytes)) {
          await sql`INSERT INTO isoplex_job_contents (key, number, bytes) VALUES (${key}, ${number}, ${bytes})`
          number += 1
          goOn()
        }
      })
    },
    async read(key: string, offset: number, maxBytes: number) {
      assertContentKey(key)
      return pool.query((sql) => readPiece(sql, key, offset, maxBytes))
    },
    async fetch(key: string, path: string) {
      assertContentKey(key)
      await fetchInPieces(shelf, key, path)
    },
    async remove(keys: readonly string[]) {
      keys.forEach(assertContentKey)
      if (keys.length === 0) return
      await pool.query((sql) => sql`DELETE FROM isoplex_job_contents WHERE key IN ${sql(keys)}`)
    },
    listOlderThan: (ageMs: number) => listOlder(pool, ageMs),
  }
  return Object.freeze(shelf)
}

/** Makes the table where it is missing. */
export async function makeContentTable(pool: PostgresPool): Promise<void> {
  await pool.transact(async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(${makingLock})`
    await sql`
      CREATE TABLE IF NOT EXISTS isoplex_job_contents (
        key text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        put_at timestamptz NOT NULL DEFAULT now(),
        bytes bytea NOT NULL,
        PRIMARY KEY (key, number)
      )`
    // Not compressed: a part of a chunk can be read without the rest of it.
    await sql`ALTER TABLE isoplex_job_contents ALTER COLUMN bytes SET STORAGE EXTERNAL`
  })
}

async function readPiece(
  sql: SQL,
  key: string,
  offset: number,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const end = offset + maxBytes
  const [first, last] = [Math.floor(offset / chunkBytes), Math.ceil(end / chunkBytes) - 1]
  // The first chunk is there for every content, if only to say so.
  const rows: readonly { readonly bytes: Uint8Array }[] = await sql`
    SELECT substring(
      bytes
      FROM greatest(${offset}::bigint - number * ${chunkBytes}::bigint, 0)::integer + 1
      FOR greatest(
        least(${end}::bigint - number * ${chunkBytes}::bigint, ${chunkBytes})
          - greatest(${offset}::bigint - number * ${chunkBytes}::bigint, 0),
        0
      )::integer
    ) AS bytes
    FROM isoplex_job_contents
    WHERE key = ${key} AND (number = 0 OR number BETWEEN ${first} AND ${last})
    ORDER BY number`
  if (rows.length === 0) throw missingContent()
  const piece = new Uint8Array(rows.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let done = 0
  for (const { bytes } of rows) {
    piece.set(bytes, done)
    done += bytes.length
  }
  return piece
}

async function* listOlder(pool: PostgresPool, ageMs: number): AsyncGenerator<readonly string[]> {
  for (let after = ''; ; ) {
    const rows = await pool.query(
      (sql): Promise<readonly { readonly key: string }[]> => sql`
        SELECT key FROM isoplex_job_contents
        WHERE number = 0 AND key > ${after} AND put_at < now() - ${ageMs} * interval '1 millisecond'
        ORDER BY key LIMIT ${batchSize}`,
    )
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map(({ key }) => key)
    after = last.key
  }
}
