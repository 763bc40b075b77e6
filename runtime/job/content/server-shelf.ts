import { SQL } from 'bun'
import { toDatabaseError } from '../store/database-error.ts'
import type { ContentShelf } from './content-shelf.ts'
import { openTableShelf } from './table-shelf.ts'

/** A shelf with connections of its own. */
export interface ServerShelf extends ContentShelf {
  close(): Promise<void>
}

const maxConnections = 4
const connectTimeoutSeconds = 5

/**
 * A shelf in a PostgreSQL database that need not answer yet: what is asked of the shelf then is refused with
 * `JOB_STORE_UNAVAILABLE`, and done once the database is there.
 */
export function createServerShelf(url: string): ServerShelf {
  const sql = new SQL({ url, max: maxConnections, connectionTimeout: connectTimeoutSeconds })
  let opening: Promise<ContentShelf> | null = null
  const opened = async (): Promise<ContentShelf> => {
    opening ??= openTableShelf(sql)
    try {
      return await opening
    } catch (error) {
      opening = null
      throw error
    }
  }
  const ask = async <Answer>(question: (shelf: ContentShelf) => Promise<Answer>): Promise<Answer> => {
    try {
      return await question(await opened())
    } catch (error) {
      throw toDatabaseError(error)
    }
  }
  return Object.freeze<ServerShelf>({
    put: (source, key) => ask((shelf) => shelf.put(source, key)),
    read: (key, offset, maxBytes) => ask((shelf) => shelf.read(key, offset, maxBytes)),
    fetch: (key, path) => ask((shelf) => shelf.fetch(key, path)),
    remove: (keys) => ask((shelf) => shelf.remove(keys)),
    listOlderThan: async function* (ageMs) {
      yield* (await ask(async (shelf) => shelf)).listOlderThan(ageMs)
    },
    close: () => sql.close(),
  })
}
