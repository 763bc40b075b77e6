/** A known name and how many single-character edits away it is. */
export interface NearestName {
  readonly name: string
  readonly edits: number
}

/** Finds the known name that is fewest edits away from a misspelt one; of equals the first. */
export function nearestName(wanted: string, known: readonly string[]): NearestName | null {
  let nearest: NearestName | null = null
  for (const name of known) {
    const edits = editDistance(wanted, name)
    if (nearest === null || edits < nearest.edits) nearest = { name, edits }
  }
  return nearest
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const inserted = (current[column - 1] ?? 0) + 1
      const deleted = (previous[column] ?? 0) + 1
      current.push(Math.min(substituted, inserted, deleted))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
