import { lookup } from 'node:dns/promises'
import { fetchFailed } from './refusal.ts'

/** Finds all addresses of a host's name. */
export type ResolveName = (name: string) => Promise<readonly string[]>

/**
 * Finds all addresses of a name as the system does, its hosts file included.
 *
 * @throws {IsoplexError} `FETCH_FAILED`, `connection`.
 */
export async function resolveName(name: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true, order: 'verbatim' })
    return found.map(({ address }) => address)
  } catch (error) {
    throw fetchFailed('connection', `The host "${name}" is not known to the name servers.`, error)
  }
}
