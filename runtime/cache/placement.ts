import {
  type Admission,
  admit,
  compareReadiness,
  type Newcomer,
  type ResidencyLimits,
  type Resident,
} from './residency.ts'

/** Where something may be loaded. */
export interface House {
  readonly house: number
  /** Whether it takes a newcomer now, rather than later. */
  readonly open: boolean
  /** Whether it takes one now that has to wait there until others have left. */
  readonly openBeside: boolean
}

/** Where a newcomer is to be loaded. */
export type Placement =
  /** There is room in this house. */
  | { readonly outcome: 'free'; readonly house: number }
  /** There will be, once others have left. */
  | { readonly outcome: 'full'; readonly house: number }
  /** Nowhere now. */
  | { readonly outcome: 'later' }
  /** Nowhere, as long as those stay that must. */
  | { readonly outcome: 'taken' }
  /** Nowhere ever: it is over a limit of bytes by itself. */
  | { readonly outcome: 'too-large'; readonly limitBytes: number }

interface Option<Key> extends House {
  readonly admission: Admission<Key>
}

/**
 * Chooses the house for a newcomer: where there is room, the one with the most of it; else the one whose victims
 * are the readiest to go, so that houses of a few places each behave as one of many. Pure.
 */
export function place<Key>(
  residents: readonly Resident<Key>[],
  newcomer: Omit<Newcomer, 'house'>,
  houses: readonly House[],
  limits: ResidencyLimits,
): Placement {
  const options = houses.map((house): Option<Key> => {
    return { ...house, admission: admit(residents, { ...newcomer, house: house.house }, limits) }
  })
  const free = options.filter(({ open, admission }) => open && admission.outcome === 'admitted')
  const roomiest = bestOf(
    free,
    (a, b) => roomIn(b.house, residents, newcomer, limits) - roomIn(a.house, residents, newcomer, limits),
  )
  if (roomiest) return { outcome: 'free', house: roomiest.house }
  const full = options.filter(
    ({ open, openBeside, admission }) => open && openBeside && admission.outcome === 'full',
  )
  const readiest = bestOf(full, (a, b) => compareLoss(a.admission, b.admission))
  if (readiest) return { outcome: 'full', house: readiest.house }
  const [first] = options
  if (first?.admission.outcome === 'too-large') return first.admission
  const taken = options.length > 0 && options.every(({ admission }) => admission.outcome === 'taken')
  return { outcome: taken ? 'taken' : 'later' }
}

/** How much of a house is free, from 0 to 1: the least that any of its limits leaves. */
function roomIn<Key>(
  house: number,
  residents: readonly Resident<Key>[],
  { group }: Omit<Newcomer, 'house'>,
  { maxInGroup, maxInHouse, maxBytesInHouse }: ResidencyLimits,
): number {
  const inside = residents.filter((resident) => resident.house === house)
  const peers = inside.filter((resident) => resident.group === group)
  const bytes = inside.reduce((sum, resident) => sum + resident.bytes, 0)
  return 1 - Math.max(peers.length / maxInGroup, inside.length / maxInHouse, bytes / maxBytesInHouse)
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
