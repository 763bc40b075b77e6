import { type Catalog, readCatalog } from './catalog.ts'

/**
 * Asks a server for its functions.
 *
 * @throws {Error} that says which part of it could not be had.
 */
export async function fetchCatalog(baseUrl: string, signal: AbortSignal): Promise<Catalog> {
  const read = async (path: string): Promise<unknown> => {
    const reply = await fetch(baseUrl + path, { signal, headers: { accept: 'application/json' } })
    if (!reply.ok) throw new Error(`${path} answers ${reply.status}`)
    return await reply.json()
  }
  const [routes, document, pages] = await Promise.all([
    read('/-/routes'),
    read('/-/openapi.json'),
    // Without it nothing runs in pages, and all runs on the server as before.
    read('/-/browser/index.json').catch(() => null),
  ])
  return readCatalog({ routes, document, pages })
}
