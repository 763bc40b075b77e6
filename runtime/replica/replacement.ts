/** Limits beyond which a fresh replica takes the place of one. */
export interface ReplicaLimits {
  /** Memory, by a replica's own reports. */
  readonly maxReplicaBytes: number
  /** Runners started in it. */
  readonly maxReplicaLoads: number
}

/** As much of a replica as counts here. */
export interface ReplicaUse {
  readonly loads: number
  /** When it began to serve, in milliseconds. */
  readonly sinceMs: number
  readonly health: { readonly residentSetBytes: number }
}

/** Why a replica is to be replaced. */
export type ReplacementReason = 'memory' | 'loads'

/** One report may catch a moment: so many in a row count. */
const reportsInARow = 2
/** A replica that is beyond its memory sooner than this needs that much: the next one will, too. */
const soonMs = 60_000
const longestPauseMs = 3_600_000

/**
 * Says when a replica has to be replaced. Where fresh ones are beyond the memory limit at once, replacing them is of
 * no use: then the pause between two such replacements is doubled, from a minute to an hour.
 */
export class ReplacementPolicy<Replica extends ReplicaUse> {
  readonly #limits: ReplicaLimits
  readonly #excesses = new WeakMap<Replica, { reports: number; readonly soon: boolean }>()
  #pauseMs = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY

  constructor(limits: ReplicaLimits) {
    this.#limits = limits
  }

  /** To be asked with each report of a replica that serves: why it is to be replaced, `null` where it is not. */
  examine(replica: Replica, nowMs: number): ReplacementReason | null {
    const { maxReplicaBytes, maxReplicaLoads } = this.#limits
    const soon = nowMs - replica.sinceMs < soonMs
    const excess = this.#excesses.get(replica) ?? { reports: 0, soon }
    if (replica.health.residentSetBytes > maxReplicaBytes) {
      excess.reports += 1
      this.#excesses.set(replica, excess)
    } else this.#excesses.delete(replica)
    if (excess.reports >= reportsInARow && nowMs >= this.#notBeforeMs) return 'memory'
    return replica.loads >= maxReplicaLoads ? 'loads' : null
  }

  /** To be told when a replica is replaced for its memory; whether that is the first in a row that comes to nothing. */
  replaced(replica: Replica, nowMs: number): boolean {
    const first = this.#pauseMs === 0
    const soon = this.#excesses.get(replica)?.soon ?? false
    this.#pauseMs = soon ? Math.min(longestPauseMs, Math.max(soonMs, this.#pauseMs * 2)) : 0
    this.#notBeforeMs = nowMs + this.#pauseMs
    return soon && first
  }
}
