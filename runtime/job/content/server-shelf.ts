import { toDatabaseError } from '../store/database-error.ts'
import { createPostgresPool } from '../store/postgres-pool.ts'
import type { ContentShelf } from './content-shelf.ts'
import { createTableShelf, makeContentTable } from './table-shelf.ts'

/** A shelf with connections of its own. */
export interface ServerShelf extends ContentShelf {
  close(): Promise<void>
}

/**
 * A shelf in a PostgreSQL database, in a table that is made where it is missing. The database need not answer yet: what
 * is asked of the shelf while it does not is refused with `JOB_STORE_UNAVAILABLE`.
 */
export function createServerShelf(url: string): ServerShelf {
  const pool = createPostgresPool(url)
  const shelf = createTableShelf(pool)
  let isMade = false
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    try {
      if (!isMade) await makeContentTable(pool)
      isMade = true
      return await question()
    } catch (error) {
      throw toDatabaseError(error)
    }
  }
  return Object.freeze<ServerShelf>({
    put: (source, key) => ask(() => shelf.put(source, key)),
    read: (key, offset, maxBytes) => ask(() => shelf.read(key, offset, maxBytes)),
    fetch: (key, path) => ask(() => shelf.fetch(key, path)),
    remove: (keys) => ask(() => shelf.remove(keys)),
    async *listOlderThan(ageMs) {
      const batches = shelf.listOlderThan(ageMs)[Symbol.asyncIterator]()
      for (;;) {
        const { done, value } = await ask(() => batches.next())
        if (done) return
        yield value
      }
    },
    close: () => pool.close(),
  })
}
