import { type Placement, place } from '../cache/placement.ts'
import {
  type Admission,
  admit,
  type ResidencyLimits,
  type Resident,
  type Standing,
} from '../cache/residency.ts'
import type { ReplicaPool } from './pool.ts'
import type { RequestQueue } from './queue.ts'
import type { RunnerLink } from './runner-link.ts'

/** How much may be loaded at once. */
export interface OccupancyLimits {
  /** The most runners of one replica. */
  readonly maxRunnersPerReplica: number
  /** The most bytes of models of one replica. */
  readonly maxModelBytesPerReplica: number
  /** The most bytes of models loaded for one principal, in all replicas together; `null` for no limit. */
  readonly maxModelBytesPerPrincipal: number | null
  /** Loads that one replica works on side by side; and models that it holds beside its limits until others have left. */
  readonly maxParallelLoads: number
}

/** How many runners of a queue there are. */
export interface Presence {
  /** Those that take work. */
  readonly active: number
  /** Those that come up, or wait for room. */
  readonly coming: number
}

/** The pool's runners as the policy of the cache sees them. */
export class Occupancy {
  readonly #pool: ReplicaPool
  readonly #limits: OccupancyLimits
  readonly #isPinned: (link: RunnerLink) => boolean

  constructor(pool: ReplicaPool, limits: OccupancyLimits, isPinned: (link: RunnerLink) => boolean) {
    this.#pool = pool
    this.#limits = limits
    this.#isPinned = isPinned
  }

  /** Where a runner is to be started. What comes up counts as if it were there, since it soon is. */
  placeFor(queue: RequestQueue, principal: string): Placement {
    const { deployment, model, links } = queue
    const taken = new Set([...links].filter((link) => !isCallingOnItself(link)).map(({ replica }) => replica))
    const rooms = this.#pool.replicas
      .filter((replica) => !taken.has(replica))
      .map(({ number, links }) => {
        const coming = [...links].filter(isComing)
        const loads = coming.filter(({ state }) => state === 'starting')
        // What waits until a caller goes must not keep away what the caller waits for.
        const beside =
          queue.calls > 0 ? coming.filter((link) => loads.includes(link) || link.queue.calls > 0) : coming
        const { maxParallelLoads } = this.#limits
        return {
          replica: number,
          open: loads.length < maxParallelLoads,
          openBeside: beside.length < maxParallelLoads,
        }
      })
    // Whoever asks again and again while every replica is busy costs no more than this.
    if (!rooms.some(({ open }) => open)) return { outcome: 'later' }
    const newcomer = { group: deployment.id, principal, bytes: model?.bytes ?? 0 }
    return place(this.#residentsBeside(queue), newcomer, rooms, this.#limitsOf(queue))
  }

  /** Whether a runner that has come up may serve, and else who makes room. */
  admissionOf(link: RunnerLink): Admission<RunnerLink> {
    return this.#admit(link, this.#residentsBeside(link.queue))
  }

  /** Whether a runner that has come up is only let in because others, who wait for calls, lend their places. */
  isLent(link: RunnerLink): boolean {
    return link.queue.calls > 0 && this.standingBeside(link).outcome !== 'admitted'
  }

  /** What must happen before a runner that serves is within the limits, whoever waits for calls. */
  standingBeside(link: RunnerLink): Admission<RunnerLink> {
    return this.#admit(link, this.#residents())
  }

  #admit(link: RunnerLink, residents: readonly Resident<RunnerLink>[]): Admission<RunnerLink> {
    const { deployment, principal, bytes } = link
    return admit(
      residents.filter(({ key }) => key !== link && !isComing(key)),
      { replica: numberOf(link), group: deployment.id, principal, bytes },
      this.#limitsOf(link.queue),
    )
  }

  /** Runners that wait for calls lend their places to what is called. */
  #residentsBeside({ calls }: RequestQueue): Resident<RunnerLink>[] {
    const residents = this.#residents()
    return calls > 0 ? residents.filter(({ key }) => !key.lends) : residents
  }

  #limitsOf({ deployment }: RequestQueue): ResidencyLimits {
    return {
      maxInGroup: deployment.maxInReplica,
      maxInReplica: this.#limits.maxRunnersPerReplica,
      maxBytesInReplica: this.#limits.maxModelBytesPerReplica,
      maxBytesOfPrincipal: this.#limits.maxModelBytesPerPrincipal ?? Number.POSITIVE_INFINITY,
    }
  }

  #residents(): Resident<RunnerLink>[] {
    return keptOf(this.#pool).map((link) => {
      return {
        key: link,
        replica: numberOf(link),
        group: link.deployment.id,
        principal: link.principal,
        bytes: link.bytes,
        standing: standingOf(link),
        pinned: !leaves(link) && this.#isPinned(link),
        // A stream may last for long, and nothing could take its place before its end.
        lastUsedMs: link.streaming ? Number.POSITIVE_INFINITY : link.lastUsedMs,
      }
    })
  }
}

/** Counts the runners of a queue. */
export function presenceOf({ links }: RequestQueue): Presence {
  let active = 0
  let coming = 0
  for (const link of links) {
    if (link.state === 'active') active += 1
    else if (isComing(link)) coming += 1
  }
  return { active, coming }
}

/** Whether a runner is a further one of its queue, beside the first that serves. */
export function isFurther(link: RunnerLink): boolean {
  for (const other of link.queue.links) {
    if (other === link) return false
    if (other.state === 'active' && other.replica.state !== 'leaving') return true
  }
  return false
}

/** Whether a runner holds a model, of one function or (`null`) of any, and is not on its way out. */
export function holds(
  { deployment, model, state }: RunnerLink,
  name: string | null,
  modelKey: string,
): boolean {
  return (name ?? deployment.name) === deployment.name && model?.key === modelKey && state !== 'retiring'
}

/** Whether a runner does not serve yet. */
function isComing({ state }: RunnerLink): boolean {
  return state === 'starting' || state === 'loaded'
}

/** The runners that are kept: what is tried alone takes nobody's room. */
export function keptOf({ links }: Pick<ReplicaPool, 'links'>): RunnerLink[] {
  return [...links].filter(({ replica }) => replica.state !== 'isolated')
}

/** A replica that leaves keeps its number, which is another's already. */
function numberOf({ replica }: RunnerLink): number {
  return replica.state === 'leaving' ? -1 : replica.number
}

function standingOf(link: RunnerLink): Standing {
  if (link.workload.waits) return 'waiting'
  if (leaves(link)) return 'leaving'
  if (isComing(link)) return 'busy'
  // What it has in hand is soon done, unless it is a stream.
  if (isFurther(link) && !link.streaming) return 'surplus'
  if (!link.idle) return 'busy'
  // It is sent what waits for it in this turn: who had it go before would have it loaded for nothing, again and again.
  return link.free && link.queue.length > 0 ? 'waiting' : 'idle'
}

/** Whether it is on its way out, with its replica or without. */
function leaves({ state, replica }: RunnerLink): boolean {
  return state === 'retiring' || replica.state === 'leaving'
}

/** Whether a runner goes that may have to wait for another of its own kind before it can. */
function isCallingOnItself({ state, lends, queue }: RunnerLink): boolean {
  return state === 'retiring' && lends && queue.calls > 0
}
