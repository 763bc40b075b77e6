import type { SynapseJobPatch, SynapseLog } from './synapse-shape.ts'

/** Something to be sent: what a patch says, or entries of the log. */
export type SynapseParcel =
  | { readonly kind: 'patch'; readonly patch: SynapseJobPatch; readonly json: string }
  | { readonly kind: 'logs'; readonly count: number; readonly json: string }

/** How much waits at the most. */
export interface OutboxLimits {
  readonly maxLogs: number
  readonly maxLogBytes: number
  /** Of one parcel. */
  readonly maxParcelLogs: number
  readonly maxParcelBytes: number
}

const usualLimits: OutboxLimits = {
  maxLogs: 10_000,
  maxLogBytes: 8_388_608,
  maxParcelLogs: 500,
  maxParcelBytes: 1_048_576,
}

/**
 * What waits to be sent to a Synapse backend. Of progress, metrics and state only the newest waits; of the log all, up
 * to a limit beyond which the oldest entries give way and are counted.
 */
export class SynapseOutbox {
  readonly #limits: OutboxLimits
  #patch: SynapseJobPatch = {}
  #logs: string[] = []
  #logBytes = 0
  #lost = 0

  constructor(limits: OutboxLimits = usualLimits) {
    this.#limits = limits
  }

  /** Entries of the log that gave way. */
  get lost(): number {
    return this.#lost
  }

  get isEmpty(): boolean {
    return this.#logs.length === 0 && Object.keys(this.#patch).length === 0
  }

  /** Adds to what the next patch says. */
  patch(part: SynapseJobPatch): void {
    this.#patch = { ...this.#patch, ...part }
  }

  /** Adds an entry of the log. */
  log(entry: SynapseLog): void {
    const json = JSON.stringify(entry)
    this.#logs.push(json)
    this.#logBytes += json.length
    const { maxLogs, maxLogBytes } = this.#limits
    let dropped = 0
    while (this.#logs.length - dropped > maxLogs || this.#logBytes > maxLogBytes) {
      this.#logBytes -= this.#logs[dropped]?.length ?? 0
      dropped += 1
    }
    if (dropped === 0) return
    this.#logs = this.#logs.slice(dropped)
    this.#lost += dropped
  }

  /**
   * Takes what is to be sent next, `null` where nothing is: the log first, so that a job that has ended has told all.
   * What could not be sent is the taker's to send again, after {@link freshen}.
   */
  take(): SynapseParcel | null {
    if (this.#logs.length > 0) return this.#takeLogs()
    return Object.keys(this.#patch).length === 0 ? null : this.#takePatch({})
  }

  /** Puts what is newest into a patch that is to be sent again; entries of the log stay as they are. */
  freshen(parcel: SynapseParcel): SynapseParcel {
    return parcel.kind === 'logs' ? parcel : this.#takePatch(parcel.patch)
  }

  #takePatch(older: SynapseJobPatch): SynapseParcel {
    const patch = { ...older, ...this.#patch }
    this.#patch = {}
    return { kind: 'patch', patch, json: JSON.stringify(patch) }
  }

  #takeLogs(): SynapseParcel {
    const { maxParcelLogs, maxParcelBytes } = this.#limits
    let count = 0
    let bytes = 0
    for (const json of this.#logs) {
      if (count === maxParcelLogs || (count > 0 && bytes + json.length > maxParcelBytes)) break
      count += 1
      bytes += json.length
    }
    const taken = this.#logs.slice(0, count)
    this.#logs = this.#logs.slice(count)
    this.#logBytes -= bytes
    const [only = '{}'] = taken
    // The SDK sends one entry as it is, and only several as a list.
    return { kind: 'logs', count, json: count === 1 ? only : `[${taken.join(',')}]` }
  }
}
