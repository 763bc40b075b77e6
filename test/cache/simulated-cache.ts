import { place } from '../../runtime/cache/placement.ts'
import { admit, type ResidencyLimits, type Resident, type Standing } from '../../runtime/cache/residency.ts'

/** A model of a simulated cache, from its load to its end. */
export interface SimulatedModel {
  readonly name: string
  readonly replica: number
  readonly group: string
  readonly principal: string
  readonly bytes: number
  state: 'coming' | 'loaded' | 'serving' | 'leaving'
  inHand: number
  lastUsedMs: number
}

/** A cache of two replicas that does what the policy says, on a clock of its own. */
export class SimulatedCache {
  readonly limits: ResidencyLimits
  models: SimulatedModel[] = []
  readonly pinned = new Set<string>()
  /** Models that have been told to leave, or were ended, with whether they were pinned or in use at that moment. */
  readonly evicted: { readonly name: string; readonly pinned: boolean }[] = []
  readonly ended: { readonly name: string; readonly inHand: number }[] = []
  #nowMs = 0

  constructor(limits: ResidencyLimits) {
    this.limits = limits
  }

  /** Those that take up room for good: they serve, or finish. */
  get residents(): SimulatedModel[] {
    return this.models.filter(({ state }) => state === 'serving' || state === 'leaving')
  }

  want(facts: Pick<SimulatedModel, 'name' | 'group' | 'principal' | 'bytes'>): void {
    if (this.models.some(({ name }) => name === facts.name)) return
    const replicas = [0, 1].map((replica) => {
      const besides = this.models.filter((each) => each.replica === replica && !this.residents.includes(each))
      const loads = besides.filter(({ state }) => state === 'coming')
      return { replica, open: loads.length < 2, openBeside: besides.length < 2 }
    })
    const placement = place(this.#seen(this.models), facts, replicas, this.limits)
    if (placement.outcome !== 'free' && placement.outcome !== 'full') return
    const { replica } = placement
    this.models.push({ ...facts, replica, state: 'coming', inHand: 0, lastUsedMs: this.#tick() })
  }

  endLoad(name: string, outcome: 'up' | 'failed'): void {
    const model = this.#find(name, 'coming')
    if (!model) return
    if (outcome === 'up') model.state = 'loaded'
    else this.models = this.models.filter((each) => each !== model)
    this.#settle()
  }

  use(name: string): void {
    const model = this.#find(name, 'serving')
    if (!model) return
    model.inHand += 1
    model.lastUsedMs = this.#tick()
  }

  endUse(name: string): void {
    const model = this.models.find((each) => each.name === name && each.inHand > 0)
    if (!model) return
    model.inHand -= 1
    model.lastUsedMs = this.#tick()
    this.#settle()
  }

  unload(name: string): void {
    const model = this.#find(name, 'serving')
    if (!model) return
    this.pinned.delete(name)
    model.state = 'leaving'
    this.#settle()
  }

  /** Lets those end that are to leave and have nothing in hand, and those serve that have room then. */
  #settle(): void {
    let before = -1
    while (before !== this.models.length) {
      before = this.models.length
      for (const { name, inHand } of this.models.filter(isDone)) this.ended.push({ name, inHand })
      this.models = this.models.filter((each) => !isDone(each))
      for (const model of this.models.filter(({ state }) => state === 'loaded')) this.#settleIn(model)
    }
  }

  #settleIn(model: SimulatedModel): void {
    const admission = admit(this.#seen(this.residents), model, this.limits)
    if (admission.outcome === 'admitted') model.state = 'serving'
    else if (admission.outcome !== 'full') this.models = this.models.filter((each) => each !== model)
    else {
      for (const { resident } of admission.victims) {
        if (resident.key.state === 'leaving') continue
        resident.key.state = 'leaving'
        this.evicted.push({ name: resident.key.name, pinned: this.pinned.has(resident.key.name) })
      }
    }
  }

  #seen(models: readonly SimulatedModel[]): Resident<SimulatedModel>[] {
    return models.map((key) => {
      const standing = standingOf(key)
      return { ...key, key, standing, pinned: standing !== 'leaving' && this.pinned.has(key.name) }
    })
  }

  #find(name: string, state: SimulatedModel['state']): SimulatedModel | undefined {
    return this.models.find((each) => each.name === name && each.state === state)
  }

  #tick(): number {
    this.#nowMs += 1
    return this.#nowMs
  }
}

function standingOf({ state, inHand }: SimulatedModel): Standing {
  if (state === 'leaving') return 'leaving'
  return inHand > 0 || state !== 'serving' ? 'busy' : 'idle'
}

function isDone({ state, inHand }: SimulatedModel): boolean {
  return state === 'leaving' && inHand === 0
}
