import type { CrewEvents, CrewOptions } from './crew-options.ts'
import { ReplacementPolicy } from './replacement.ts'
import { ReplicaProcess, type ReplicaState } from './replica-process.ts'
import { RestartPace } from './restart-pace.ts'
import { SilenceWatch } from './silence-watch.ts'

const obituaries: Readonly<Record<ReplicaState, string>> = {
  starting: 'A replica died and is replaced',
  serving: 'A replica died and is replaced',
  leaving: 'A replica that was leaving died',
  spare: 'A spare replica died and is replaced',
  isolated: 'A replica that was set apart died',
}

/** How long a spare is put off for what is more urgent, and how long while loads go on. */
const spareDelayMs = 500
const longestSpareDelayMs = 2_000

/**
 * Keeps a number of replicas serving, and beside them a spare that has come up but has run nothing yet: it takes the
 * place of one that dies at once, and of one that is beyond its limits before that one goes. It is started once all
 * serve, so that it is in nobody's way.
 */
export class ReplicaCrew {
  readonly #options: CrewOptions
  readonly #events: CrewEvents
  readonly #processes = new Set<ReplicaProcess>()
  readonly #pace = new RestartPace()
  readonly #replacement: ReplacementPolicy<ReplicaProcess>
  readonly #silence: SilenceWatch
  /** Whether replicas that are started from now on are likely to load models. */
  expectsModels = false
  /** Ends by itself, so that another may be replaced. */
  #replaced: ReplicaProcess | null = null
  #waiting: Timer | null = null
  #size: number
  /** Since when there is no spare and should be one. */
  #spareWantedMs: number | null = null
  readonly #following: Disposable | null
  #closing = false

  constructor(options: CrewOptions, events: CrewEvents) {
    this.#options = options
    this.#events = events
    this.#size = options.replicas
    this.#replacement = new ReplacementPolicy(options)
    this.#silence = new SilenceWatch(this.#processes, (replica) => this.#condemn(replica))
    this.#following = options.places?.onChange(() => this.fill()) ?? null
    this.fill()
  }

  /** Every process that has not ended. */
  get processes(): Iterable<ReplicaProcess> {
    return this.#processes
  }

  /** The replicas that serve. */
  get serving(): readonly ReplicaProcess[] {
    return [...this.#processes].filter(({ state }) => state === 'serving')
  }

  /**
   * Sets how many replicas serve, where nobody else says which places there are. The spare is the first of those that
   * come; of those that go each serves on until its runners have been seen to, as one in whose place another has come.
   * Where none serves there is no spare either.
   */
  resize(size: number): void {
    this.#size = size
    this.fill()
  }

  /** Fills the places that nobody has, with the spare first; then that of the spare. */
  fill(): void {
    if (this.#closing) return
    const numbers = this.placeNumbers
    this.#vacate(new Set(numbers))
    let waits = false
    for (const vacancy of this.#vacancies()) {
      const spare = this.#spare
      if (spare && this.#suits(spare, vacancy)) this.#promote(spare, vacancy)
      else if (!this.#spawn(vacancy, 'starting')) waits = true
    }
    if (!waits && numbers.length > 0 && !this.#spare && this.serving.length === numbers.length)
      this.#spawnSpare()
  }

  /** The numbers of the places that are to be taken. */
  get placeNumbers(): readonly number[] {
    const { places } = this.#options
    return places ? places.numbersFor(this.#size) : Array.from({ length: this.#size }, (_, number) => number)
  }

  /** Gives the spare away, `null` where none is at hand: it is the taker's to end by {@link dismiss}. */
  takeSpare(): ReplicaProcess | null {
    const spare = this.#spare
    // A place that is empty comes first.
    if (!spare?.ready || this.#closing || this.#vacancies().length > 0) return null
    spare.enter('isolated')
    this.fill()
    return spare
  }

  /** Lets a replica go that does not serve: it ends as soon as it has no runner. */
  dismiss(replica: ReplicaProcess): void {
    replica.enter('leaving')
    this.settle(replica)
  }

  /** To be called when a replica may have lost its last runner. */
  settle(replica: ReplicaProcess): void {
    if (replica.state === 'leaving' && replica.links.size === 0) replica.disconnect()
  }

  /** Starts nobody any more; the processes are the caller's to end. */
  close(): void {
    this.#closing = true
    this.#following?.[Symbol.dispose]()
    this.#silence.close()
    if (this.#waiting) clearTimeout(this.#waiting)
  }

  get #spare(): ReplicaProcess | undefined {
    return [...this.#processes].find(({ state }) => state === 'spare')
  }

  #vacancies(): readonly number[] {
    const taken = new Set<number>()
    for (const { state, number } of this.#processes) if (isPlaced(state)) taken.add(number)
    return this.placeNumbers.filter((number) => !taken.has(number))
  }

  /** Lets those go whose place is no more. */
  #vacate(numbers: ReadonlySet<number>): void {
    for (const replica of [...this.#processes]) {
      const { state, number } = replica
      const goes = state === 'spare' ? numbers.size === 0 : isPlaced(state) && !numbers.has(number)
      if (state === 'spare') {
        if (numbers.has(number)) replica.number = this.#freeNumber()
        if (this.#options.places?.mayStay(replica) === false) this.dismiss(replica)
      }
      if (!goes) continue
      replica.enter('leaving')
      this.#events.leaving(replica)
      this.settle(replica)
    }
  }

  #suits(spare: ReplicaProcess, number: number): boolean {
    return this.#options.places?.suits(spare, number) ?? true
  }

  /** The first number that is nobody's, beyond those of the places. */
  #freeNumber(): number {
    const taken = new Set([...this.#processes].map(({ number }) => number))
    let number = Math.max(-1, ...this.placeNumbers) + 1
    while (taken.has(number)) number += 1
    return number
  }

  #promote(spare: ReplicaProcess, number: number): void {
    spare.number = number
    spare.enter(spare.ready ? 'serving' : 'starting')
    if (spare.ready) this.#events.replicaReady()
  }

  /** Whether a process has been started; where not, the places are looked after again in time. */
  #spawn(number: number, state: ReplicaState): boolean {
    const waitMs = this.#pace.waitMs(performance.now())
    if (waitMs > 0) return this.#fillAfter(waitMs)
    const { environment, replicaEntryPath: entryPath, places, door, log } = this.#options
    const opener = door && places?.openerFor(state === 'spare' ? null : number, door)
    if (opener === null) return false
    const { expectsModels } = this
    try {
      const start = { ...(entryPath === undefined ? {} : { entryPath }), ...(opener && { opener }) }
      const options = { state, environment, expectsModels, ...start }
      const replica: ReplicaProcess = new ReplicaProcess(number, options, {
        ready: () => this.#cameUp(replica),
        reported: () => this.#examine(replica),
        runnerEnded: (runner, refusal) => this.#events.runnerEnded(runner, refusal),
        died: (how) => this.#died(replica, how),
      })
      this.#processes.add(replica)
      return true
    } catch (error) {
      log.error('A replica cannot be started; it is tried again', { replica: number, error })
      this.#options.tallies.restarts.add('start')
      const nowMs = performance.now()
      this.#pace.died(0, nowMs)
      return this.#fillAfter(this.#pace.waitMs(nowMs))
    }
  }

  /**
   * A spare is for later. What loads now, mostly because of a death, is waited for by requests, as is what has gathered
   * meanwhile: that has the cores first.
   */
  #spawnSpare(): void {
    const nowMs = performance.now()
    this.#spareWantedMs ??= nowMs
    const waitedMs = nowMs - this.#spareWantedMs
    if (waitedMs < spareDelayMs || (this.#isLoading && waitedMs < longestSpareDelayMs)) {
      this.#fillAfter(Math.max(spareDelayMs - waitedMs, spareDelayMs / 10))
      return
    }
    this.#spareWantedMs = null
    this.#spawn(this.#freeNumber(), 'spare')
  }

  get #isLoading(): boolean {
    return this.serving.some(({ links }) => [...links].some(({ state }) => state === 'starting'))
  }

  #fillAfter(waitMs: number): false {
    this.#waiting ??= setTimeout(() => {
      this.#waiting = null
      this.fill()
    }, waitMs).unref()
    return false
  }

  #cameUp(replica: ReplicaProcess): void {
    if (replica.state === 'starting') {
      replica.enter('serving')
      if (!this.#closing) this.#events.replicaReady()
    } else {
      replica.enter(replica.state)
      if (!this.#closing) this.#events.spareReady()
    }
    this.fill()
  }

  #died(replica: ReplicaProcess, how: string): void {
    this.#processes.delete(replica)
    if (this.#replaced === replica) this.#replaced = null
    if (!this.#closing && !replica.released) this.#mourn(replica, how)
    this.#events.died(replica)
  }

  #mourn({ number, state, cameUp, condemned, sinceMs }: ReplicaProcess, how: string): void {
    const nowMs = performance.now()
    this.#pace.died(cameUp ? nowMs - sinceMs : 0, nowMs)
    this.#options.tallies.restarts.add(condemned ? 'unresponsive' : cameUp ? 'crashed' : 'start')
    this.#options.log.error(obituaries[state], { replica: number, how })
  }

  /** A replica that does not answer any more holds what it has in hand for ever. */
  #condemn(replica: ReplicaProcess): void {
    this.#options.log.error('A replica gives no sign of life and is ended', { replica: replica.number })
    replica.condemned = true
    replica.kill()
  }

  /** Replaces one that is beyond its limits, one at a time, as soon as somebody is there to take its place. */
  #examine(replica: ReplicaProcess): void {
    if (replica.state !== 'serving' || this.#closing) return
    const nowMs = performance.now()
    const reason = this.#replacement.examine(replica, nowMs)
    const spare = this.#spare
    if (!reason || this.#replaced || !spare?.ready || !this.#suits(spare, replica.number)) return
    const { number, loads, health } = replica
    const { log } = this.#options
    log.info('A fresh replica takes the place of one', { replica: number, reason, loads, ...health })
    if (reason === 'memory' && this.#replacement.replaced(replica, nowMs))
      log.warn(
        'A fresh replica needs more memory than maxReplicaBytes at once, so that replacing it is of no use; raise it, or lower maxModelBytesPerReplica',
        { replica: number, residentSetBytes: health.residentSetBytes },
      )
    this.#options.tallies.restarts.add(reason)
    this.#replaced = replica
    replica.enter('leaving')
    this.#promote(spare, number)
    this.#events.leaving(replica)
    this.settle(replica)
    this.fill()
  }
}

/** Whether a replica has one of the places, or is about to. */
function isPlaced(state: ReplicaState): boolean {
  return state === 'starting' || state === 'serving'
}
