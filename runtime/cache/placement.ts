import {
  type Admission,
  admit,
  compareReadiness,
  type Newcomer,
  type ResidencyLimits,
  type Resident,
} from './residency.ts'

/** Where something may be loaded. */
export interface ReplicaRoom {
  readonly replica: number
  /** Whether it takes a newcomer now, rather than later. */
  readonly open: boolean
  /** Whether it takes one now that has to wait there until others have left. */
  readonly openBeside: boolean
}

/** Where a newcomer is to be loaded. */
export type Placement =
  /** There is room in this replica. */
  | { readonly outcome: 'free'; readonly replica: number }
  /** There will be, once others have left. */
  | { readonly outcome: 'full'; readonly replica: number }
  /** Nowhere now. */
  | { readonly outcome: 'later' }
  /** Nowhere, as long as those stay that must. */
  | { readonly outcome: 'taken' }
  /** Nowhere ever: it is over a limit of bytes by itself. */
  | { readonly outcome: 'too-large'; readonly limitBytes: number }

interface Option<Key> extends ReplicaRoom {
  readonly admission: Admission<Key>
}

/**
 * Chooses the replica for a newcomer: where there is room, the one with the most of it; else the one whose victims
 * are the readiest to go, so that replicas of a few places each behave as one of many. Pure.
 */
export function place<Key>(
  residents: readonly Resident<Key>[],
  newcomer: Omit<Newcomer, 'replica'>,
  replicas: readonly ReplicaRoom[],
  limits: ResidencyLimits,
): Placement {
  const options = replicas.map((replica): Option<Key> => {
    return { ...replica, admission: admit(residents, { ...newcomer, replica: replica.replica }, limits) }
  })
  const free = options.filter(({ open, admission }) => open && admission.outcome === 'admitted')
  const roomiest = bestOf(
    free,
    (a, b) => roomIn(b.replica, residents, newcomer, limits) - roomIn(a.replica, residents, newcomer, limits),
  )
  if (roomiest) return { outcome: 'free', replica: roomiest.replica }
  const full = options.filter(
    ({ open, openBeside, admission }) => open && openBeside && admission.outcome === 'full',
  )
  const readiest = bestOf(full, (a, b) => compareLoss(a.admission, b.admission))
  if (readiest) return { outcome: 'full', replica: readiest.replica }
  const [first] = options
  if (first?.admission.outcome === 'too-large') return first.admission
  const taken = options.length > 0 && options.every(({ admission }) => admission.outcome === 'taken')
  return { outcome: taken ? 'taken' : 'later' }
}

/** How much of a replica is free, from 0 to 1: the least that any of its limits leaves. */
function roomIn<Key>(
  replica: number,
  residents: readonly Resident<Key>[],
  { group }: Omit<Newcomer, 'replica'>,
  { maxInGroup, maxInReplica, maxBytesInReplica }: ResidencyLimits,
): number {
  const inside = residents.filter((resident) => resident.replica === replica)
  const peers = inside.filter((resident) => resident.group === group)
  const bytes = inside.reduce((sum, resident) => sum + resident.bytes, 0)
  return 1 - Math.max(peers.length / maxInGroup, inside.length / maxInReplica, bytes / maxBytesInReplica)
}

/** Orders by the victim that is missed most. */
function compareLoss<Key>(a: Admission<Key>, b: Admission<Key>): number {
  const [first, second] = [lastVictimOf(a), lastVictimOf(b)]
  return first && second ? compareReadiness(first, second) : 0
}

function lastVictimOf<Key>(admission: Admission<Key>): Resident<Key> | undefined {
  return admission.outcome === 'full' ? admission.victims.at(-1)?.resident : undefined
}

/** The first of those that no other comes before. */
function bestOf<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Item | undefined {
  return items.reduce<Item | undefined>(
    (best, item) => (best === undefined || compare(item, best) < 0 ? item : best),
    undefined,
  )
}
