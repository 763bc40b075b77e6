/** Accesses to this many things, of which the one at place `k` is asked for in proportion to `1 / (k + 1)`. */
export function zipfAccesses(things: number, count: number, random: () => number): readonly number[] {
  const weights = Array.from({ length: things }, (_, place) => 1 / (place + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Array.from({ length: count }, () => {
    let rest = random() * total
    const place = weights.findIndex((weight) => {
      rest -= weight
      return rest < 0
    })
    return place === -1 ? things - 1 : place
  })
}

/** How many of the accesses are misses of a cache that keeps the so many that were used last. */
export function countMisses(accesses: readonly number[], places: number): number {
  // The least recently used first.
  const kept = new Set<number>()
  let misses = 0
  for (const access of accesses) {
    if (!kept.delete(access)) misses += 1
    kept.add(access)
    const [oldest] = kept
    if (kept.size > places && oldest !== undefined) kept.delete(oldest)
  }
  return misses
}
