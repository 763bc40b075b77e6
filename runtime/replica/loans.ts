import type { Victim } from '../cache/residency.ts'
import type { Occupancy } from './occupancy.ts'
import type { RunnerLink } from './runner-link.ts'

/**
 * Keeps in mind what follows from runners that wait for calls: that places were lent beside the limits, which have to be
 * given back, and that others wait for a place until such a runner goes on.
 */
export class Loans {
  readonly #occupancy: Pick<Occupancy, 'standingBeside'>
  #lent = false
  #blocked = false
  /** Whether runners waited, and how, when they were last looked at. */
  readonly #seen = new WeakMap<RunnerLink, string>()

  constructor(occupancy: Pick<Occupancy, 'standingBeside'>) {
    this.#occupancy = occupancy
  }

  /** A runner serves in a place that others have lent. */
  lend(): void {
    this.#lent = true
  }

  /** Somebody waits for a place. */
  block(): void {
    this.#blocked = true
  }

  /** Whether those who wait for a place are to be looked after again, since a runner has begun or ceased to wait, or to
   * work. */
  unblocks(link: RunnerLink): boolean {
    if (!this.#blocked) return false
    const { lends, idle, workload } = link
    const how = `${lends} ${workload.waits} ${idle}`
    if (this.#seen.get(link) === how) return false
    this.#seen.set(link, how)
    this.#blocked = false
    return true
  }

  /**
   * Those in excess of the limits that can go now. As long as a request is at hand that has called others it may do so
   * again, so that until then what it called stays; and whoever works on something finishes it first.
   */
  due(links: readonly RunnerLink[]): readonly Victim<RunnerLink>[] {
    if (!this.#lent) return []
    this.#lent = false
    const due = new Map<RunnerLink, Victim<RunnerLink>>()
    // Who was used last stays rather than who is in excess beside it.
    for (const link of links.toSorted((a, b) => b.lastUsedMs - a.lastUsedMs)) {
      if (link.state !== 'active' || due.has(link)) continue
      const admission = this.#occupancy.standingBeside(link)
      if (admission.outcome === 'later') this.#lent = true
      if (admission.outcome !== 'full') continue
      for (const victim of admission.victims) {
        const { key } = victim.resident
        if (key.state !== 'active' || due.has(key)) continue
        if (key.idle && !isCalled(victim, links)) due.set(key, victim)
        else this.#lent = true
      }
    }
    return [...due.values()]
  }
}

/** Whether somebody is at work in whose place a runner may be, and who may call it again. */
function isCalled({ resident, reason }: Victim<RunnerLink>, links: readonly RunnerLink[]): boolean {
  const { replica, principal } = resident.key
  return links.some((link) => {
    const lender = reason === 'principal' ? link.principal === principal : link.replica === replica
    return lender && link.workload.calls
  })
}
