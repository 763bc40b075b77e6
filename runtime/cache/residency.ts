/** How readily a resident goes, the readiest first. Whatever it has in hand, it finishes before it goes. */
export const standings = Object.freeze([
  /** It is on its way out. */
  'leaving',
  /** Another does the same. */
  'surplus',
  /** Nobody uses it. */
  'idle',
  /** It has something in hand. */
  'busy',
  /** All that it has in hand waits for others: it cannot go before they have answered. */
  'waiting',
] as const)

/** How readily a resident goes: one of {@link standings}. */
export type Standing = (typeof standings)[number]

/** Something that takes up room while it is loaded, as the policy sees it. */
export interface Resident<Key> {
  readonly key: Key
  /** Where it is. */
  readonly replica: number
  /** What it counts towards beside the replica: the deployment. */
  readonly group: string
  /** For whom it was loaded. */
  readonly principal: string
  readonly bytes: number
  readonly standing: Standing
  /** Whether it must stay. */
  readonly pinned: boolean
  /** When it was last used, on any clock that only rises. */
  readonly lastUsedMs: number
}

/** Something that asks for room. */
export type Newcomer = Pick<Resident<never>, 'replica' | 'group' | 'principal' | 'bytes'>

/** How much may be loaded at once. */
export interface ResidencyLimits {
  /** The most residents of one group in one replica, from 1. */
  readonly maxInGroup: number
  /** The most residents of one replica, from 1. */
  readonly maxInReplica: number
  /** The most bytes of one replica. */
  readonly maxBytesInReplica: number
  /** The most bytes of one principal, in all replicas together. */
  readonly maxBytesOfPrincipal: number
}

/** A resident that makes room, and the limit that asks for it. */
export interface Victim<Key> {
  readonly resident: Resident<Key>
  readonly reason: 'count' | 'bytes' | 'principal'
}

/** What must happen before a newcomer may stay. */
export type Admission<Key> =
  | { readonly outcome: 'admitted' }
  /** These make room, the readiest first; each of them is needed. */
  | { readonly outcome: 'full'; readonly victims: readonly Victim<Key>[] }
  /** Those that wait for others leave no room as long as they do. */
  | { readonly outcome: 'later' }
  /** Those that must stay leave no room. */
  | { readonly outcome: 'taken' }
  /** It is over a limit of bytes by itself. */
  | { readonly outcome: 'too-large'; readonly limitBytes: number }

interface Rule<Key> {
  readonly reason: Victim<Key>['reason']
  readonly limit: number
  readonly costOfNewcomer: number
  /** What a resident counts for; 0 where the rule does not regard it. */
  costOf(resident: Resident<Key>): number
}

/**
 * Whether a newcomer fits beside the residents of all replicas, and else who makes room: the readiest to go, and
 * among those the least recently used. Pure: it chooses, and whoever asks does the loading and unloading.
 */
export function admit<Key>(
  residents: readonly Resident<Key>[],
  newcomer: Newcomer,
  limits: ResidencyLimits,
): Admission<Key> {
  // Who takes no bytes breaks no limit of bytes.
  const rules = rulesOf<Key>(newcomer, limits).filter(({ costOfNewcomer }) => costOfNewcomer > 0)
  const tooLarge = rules.find(
    ({ reason, limit, costOfNewcomer }) => reason !== 'count' && costOfNewcomer > limit,
  )
  if (tooLarge) return { outcome: 'too-large', limitBytes: tooLarge.limit }
  if (rules.every((rule) => excessOf(rule, residents) <= 0)) return { outcome: 'admitted' }
  const ordered = residents.toSorted(compareReadiness)
  const victims = new Map<Resident<Key>, Victim<Key>>()
  for (const rule of rules) {
    let excess = excessOf(rule, ordered) - sumOf(rule, victims.keys())
    for (const resident of ordered) {
      if (excess <= 0) break
      const cost = rule.costOf(resident)
      if (cost === 0 || !mayGo(resident) || victims.has(resident)) continue
      victims.set(resident, { resident, reason: rule.reason })
      excess -= cost
    }
    if (excess > 0) return { outcome: sumOf(rule, ordered.filter(isDetained)) < excess ? 'taken' : 'later' }
  }
  spare(rules, ordered, victims)
  return {
    outcome: 'full',
    victims: [...victims.values()].toSorted((a, b) => compareReadiness(a.resident, b.resident)),
  }
}

/** Orders residents by how readily they go, and the least recently used first. */
export function compareReadiness(a: Resident<unknown>, b: Resident<unknown>): number {
  const byStanding = standings.indexOf(a.standing) - standings.indexOf(b.standing)
  // Equal infinities have no difference that is a number.
  return byStanding || (a.lastUsedMs === b.lastUsedMs ? 0 : a.lastUsedMs - b.lastUsedMs)
}

/** Lets those stay after all whom a larger victim made needless, the most recently used first. */
function spare<Key>(
  rules: readonly Rule<Key>[],
  ordered: readonly Resident<Key>[],
  victims: Map<Resident<Key>, Victim<Key>>,
): void {
  for (const victim of [...victims.keys()].toSorted(compareReadiness).toReversed()) {
    const needless = rules.every((rule) => {
      const freed = sumOf(rule, victims.keys()) - rule.costOf(victim)
      return excessOf(rule, ordered) <= freed
    })
    if (needless) victims.delete(victim)
  }
}

function mayGo({ pinned, standing }: Resident<unknown>): boolean {
  return !pinned && standing !== 'waiting'
}

/** Whether it will be one of those that may go, once others have answered. */
function isDetained({ pinned, standing }: Resident<unknown>): boolean {
  return !pinned && standing === 'waiting'
}

function excessOf<Key>(rule: Rule<Key>, residents: readonly Resident<Key>[]): number {
  return rule.costOfNewcomer + sumOf(rule, residents) - rule.limit
}

function sumOf<Key>(rule: Rule<Key>, residents: Iterable<Resident<Key>>): number {
  let sum = 0
  for (const resident of residents) sum += rule.costOf(resident)
  return sum
}

function rulesOf<Key>({ replica, group, principal, bytes }: Newcomer, limits: ResidencyLimits): Rule<Key>[] {
  return [
    {
      reason: 'count',
      limit: limits.maxInGroup,
      costOfNewcomer: 1,
      costOf: (resident) => Number(resident.replica === replica && resident.group === group),
    },
    {
      reason: 'count',
      limit: limits.maxInReplica,
      costOfNewcomer: 1,
      costOf: (resident) => Number(resident.replica === replica),
    },
    {
      reason: 'bytes',
      limit: limits.maxBytesInReplica,
      costOfNewcomer: bytes,
      costOf: (resident) => (resident.replica === replica ? resident.bytes : 0),
    },
    {
      reason: 'principal',
      limit: limits.maxBytesOfPrincipal,
      costOfNewcomer: bytes,
      costOf: (resident) => (resident.principal === principal ? resident.bytes : 0),
    },
  ]
}
