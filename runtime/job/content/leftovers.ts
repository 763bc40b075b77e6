import type { ContentShelf } from './content-shelf.ts'

/** Long beyond the time between a put and the row that names its key. */
const leftAfterMs = 86_400_000

/**
 * Removes what dead processes have left: contents that were put more than a day ago and that no row names.
 *
 * @param findNamed which of some keys a row names
 * @returns how many were removed
 */
export async function removeLeftovers(
  shelf: ContentShelf,
  findNamed: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  ageMs: number = leftAfterMs,
): Promise<number> {
  let count = 0
  for await (const keys of shelf.listOlderThan(ageMs)) {
    const named = await findNamed(keys)
    const left = keys.filter((key) => !named.has(key))
    await shelf.remove(left)
    count += left.length
  }
  return count
}
