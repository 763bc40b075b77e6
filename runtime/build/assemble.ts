import { resolveConflicts } from '../route/conflict.ts'
import type { FunctionRoute } from '../route/function-route.ts'
import { parseRoute } from '../route/pattern.ts'
import { freezeData } from './frozen-data.ts'
import type { LedgerEntry } from './ledger.ts'
import type { BrokenFunction, FunctionManifest, Manifest } from './manifest.ts'
import { placeOf } from './mistake.ts'

/**
 * Puts the manifest of a project together: what can be served, the last good version of what is broken, and
 * what is broken. Of functions that cannot be served together, the first by its file's name is.
 */
export function assembleManifest(entries: readonly LedgerEntry[], ignoredLinks: readonly string[]): Manifest {
  const good = entries.flatMap((entry) => entry.good ?? [])
  const refused = refuseConflicts(good)
  const links = ignoredLinks.map((file) => {
    const reason = 'It is a link that leads out of the functions folder, to a folder or nowhere.'
    return { file, place: placeOf(file), reason, served: false }
  })
  const broken = [...entries.flatMap((entry) => brokenOf(entry, refused)), ...links]
  return freezeData({
    functions: good.filter(({ file }) => !refused.has(file)),
    broken: broken.sort((left, right) => (left.file < right.file ? -1 : 1)),
  })
}

function brokenOf(
  { file, good, mistake }: LedgerEntry,
  refused: ReadonlyMap<string, string>,
): BrokenFunction[] {
  const conflict = refused.get(file)
  if (mistake) return [{ file, ...mistake, served: good !== null && conflict === undefined }]
  return conflict === undefined ? [] : [{ file, place: placeOf(file), reason: conflict, served: false }]
}

/** The files whose route or name an earlier one has, each with the reason. */
function refuseConflicts(functions: readonly FunctionManifest[]): ReadonlyMap<string, string> {
  const refused = new Map<string, string>()
  const routes = functions.map(({ file, name, route }) => ({ file, name, pattern: parseRoute(route, file) }))
  if (resolveConflicts(routes).conflicts.length === 0) return refused
  const accepted: FunctionRoute[] = []
  for (const route of routes) {
    const [conflict] = resolveConflicts([...accepted, route]).conflicts
    if (conflict) refused.set(route.file, conflict.message)
    else accepted.push(route)
  }
  return refused
}
