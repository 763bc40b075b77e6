/** Something that takes up room while it is loaded, as the policy sees it. */
export interface Resident<Key> {
  readonly key: Key
  /** What it counts towards beside the whole: the deployment. */
  readonly group: string
  /** Whether somebody uses it now. */
  readonly inUse: boolean
  /** When it was last used, on any clock that only rises. */
  readonly lastUsedMs: number
}

/** How much may be loaded at once. */
export interface ResidencyLimits {
  /** The most residents of one group, from 1. */
  readonly maxInGroup: number
  /** The most residents in all, from 1. */
  readonly maxInAll: number
}

/** What must go before a newcomer may stay. */
export type Admission<Key> =
  | { readonly admitted: true }
  /** `victims` go first: the unused before those in use, which finish what they have; each least recently used first. */
  | { readonly admitted: false; readonly victims: readonly Resident<Key>[] }

/**
 * Whether a newcomer of a group fits beside the residents, and else who makes room: the least recently used of
 * those that nobody uses; where all are in use, the least recently used of those, once it has finished. Pure:
 * it chooses, and whoever asks does the loading and unloading.
 */
export function admit<Key>(
  residents: readonly Resident<Key>[],
  group: string,
  limits: ResidencyLimits,
): Admission<Key> {
  const peers = residents.filter((resident) => resident.group === group)
  const groupVictims = leastRecentlyUsed(peers).slice(0, Math.max(0, peers.length + 1 - limits.maxInGroup))
  const remaining = residents.filter((resident) => !groupVictims.includes(resident))
  const surplus = Math.max(0, remaining.length + 1 - limits.maxInAll)
  const victims = [...groupVictims, ...leastRecentlyUsed(remaining).slice(0, surplus)]
  return victims.length === 0 ? { admitted: true } : { admitted: false, victims: leastRecentlyUsed(victims) }
}

function leastRecentlyUsed<Key>(residents: readonly Resident<Key>[]): readonly Resident<Key>[] {
  return residents.toSorted((a, b) => Number(a.inUse) - Number(b.inUse) || a.lastUsedMs - b.lastUsedMs)
}
