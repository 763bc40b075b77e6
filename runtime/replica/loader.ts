import type { FunctionLog } from '../define/context.ts'
import type { AnyIsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import { loadBroken, modelTooLarge, noFiles, noThread, roomTaken } from './failure.ts'
import { LoadHistory } from './load-history.ts'
import type { Loans } from './loans.ts'
import type { RunnerReport } from './message.ts'
import { type Occupancy, presenceOf } from './occupancy.ts'
import type { EndOfRunner, ReplicaPool } from './pool.ts'
import type { RequestQueue } from './queue.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { RunnerLink } from './runner-link.ts'
import type { Wishes } from './wishes.ts'

/** What a loader works with. */
export interface LoaderOptions {
  readonly pool: ReplicaPool
  readonly occupancy: Occupancy
  readonly wishes: Wishes
  readonly loans: Loans
  /** The longest that a function and its model may take to come up. */
  readonly loadTimeoutMs: number
  readonly log: FunctionLog
  /** A load was under way at the deaths of several replicas: it is to be tried alone. */
  readonly suspect: (queue: RequestQueue) => void
}

/** A runner that is at work for such a share of the time is worth a further one in spare room. */
const stretchedShare = 0.7

/** Starts runners where there is room or will be, and remembers what became of their loads. */
export class RunnerLoader {
  readonly #options: LoaderOptions
  readonly #history = new LoadHistory()
  readonly #saidFallbacks = new Set<string>()
  /** Queues that are to have a further runner. */
  readonly #stretched = new Set<RequestQueue>()

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  /** Why a queue's model is not to be loaded now, if it failed a moment ago. */
  recentFailure({ key }: RequestQueue): AnyIsoplexError | undefined {
    return this.#history.failure(key)
  }

  /**
   * Starts a runner for a queue that has none, or a further one in spare room where what waits would wait for longer
   * than a load takes. Where its model can have no room at all, or has failed a moment ago, what waits for it fails.
   */
  want(queue: RequestQueue): void {
    const { active, coming } = presenceOf(queue)
    if (coming > 0 || this.#history.isTried(queue.key)) return
    const principal = queue.principal ?? this.#options.wishes.principalOf(queue)
    if (active > 0) {
      if (this.#isWorthCopy(queue, active)) this.#startIn('free', queue, principal)
      return
    }
    const failure = this.#history.failure(queue.key)
    if (!failure && this.#history.isSuspect(queue.key)) {
      this.#history.try(queue.key)
      this.#options.suspect(queue)
    } else {
      const refusal = failure ?? this.#startIn('any', queue, principal)
      if (refusal) this.#refuse(queue, refusal)
    }
  }

  /** Starts a runner in the place of one whose replica leaves; whether there may be one, be it later. */
  succeed({ queue, principal }: RunnerLink): boolean {
    return this.#mayHelp(queue.key) && this.#startIn('any', queue, principal) === null
  }

  /** To be called now and then: where all who serve a queue are at work nearly all the time, a further one is to help. */
  examine(link: RunnerLink, nowMs: number): void {
    link.workload.measure(nowMs)
    const { queue } = link
    const isStretched = [...queue.links].every(({ workload }) => workload.busyShare >= stretchedShare)
    if (!isStretched) this.#stretched.delete(queue)
    else {
      this.#stretched.add(queue)
      this.spread()
    }
  }

  /**
   * A death has taken a runner from a queue. Where others serve it another takes the lost one's place at once, lest
   * the next death leave nobody who serves while a load lasts.
   */
  bereave(queue: RequestQueue): void {
    this.#stretched.add(queue)
  }

  /** Starts the further runners that are to help, as far as there is spare room by now. */
  spread(): void {
    for (const queue of this.#stretched) {
      const [first] = queue.links
      const { active, coming } = presenceOf(queue)
      const mayHelp = queue.links.size < this.#options.pool.size && this.#mayHelp(queue.key)
      if (mayHelp && active > 0 && coming === 0)
        this.#startIn('free', queue, queue.principal ?? first?.principal ?? '')
      // Else there was no room, or another comes up: the next time it may be different.
      if (!first || !mayHelp || presenceOf(queue).coming > coming) this.#stretched.delete(queue)
    }
  }

  /** Takes in what a runner says of itself; whether it may stay. */
  cameUp(link: RunnerLink, { providers, fallbacks, grownBytes }: RunnerReport): boolean {
    const { queue, model, loadedAlone } = link
    link.inTime()
    link.loadMs = performance.now() - link.startedMs
    link.providers = providers
    if (model) link.computedBy = { model: model.info, provider: providers[0] ?? null }
    link.fallbacks = fallbacks
    this.#sayFallbacks(fallbacks)
    if (model && loadedAlone) link.bytes = Math.max(link.bytes, grownBytes)
    const admission = this.#options.occupancy.admissionOf(link)
    if (admission.outcome === 'too-large') {
      this.#failed(link, modelTooLarge(queue, link.bytes, admission.limitBytes))
      return false
    }
    link.state = 'loaded'
    this.#history.cameUp(queue.key, link.loadMs)
    queue.tally.loaded(link.loadMs)
    return true
  }

  /** A runner says that it does not come up. */
  failed(link: RunnerLink, error: WireError): void {
    this.#failed(link, fromWire(error))
  }

  /** A runner has come up and finds only pinned ones in its place. */
  displaced({ queue }: RunnerLink): void {
    if (presenceOf(queue).active === 0) this.#refuse(queue, roomTaken(queue))
  }

  /** A runner has ended while it came up. */
  died(link: RunnerLink, { crashed, blame, refusal }: EndOfRunner): void {
    const { queue } = link
    if (refusal !== null) {
      this.#failed(link, refusal.lack === 'thread' ? noThread(queue) : noFiles(queue))
      return
    }
    if (blame === 'none') return
    if (!crashed) {
      this.#failed(link, loadBroken(queue, 'ended its thread'))
      return
    }
    if (blame === 'sole') this.#history.suspect(queue.key)
    else this.#history.died(queue.key)
  }

  /** A load that was suspected is not why replicas died: it is tried as usual. */
  acquit({ key }: RequestQueue): void {
    this.#history.acquit(key)
  }

  /** A load that was suspected is why replicas died: it has failed. */
  condemn(queue: RequestQueue, error: AnyIsoplexError): void {
    this.#history.condemn(queue.key)
    this.#note(queue, error)
  }

  /** Whether a load that is only to help may be tried. */
  #mayHelp(key: string): boolean {
    return !this.#history.isSuspect(key) && !this.#history.spreadFailure(key)
  }

  /** Whether what waits for a queue's runners would wait for longer than another takes to come up. */
  #isWorthCopy({ key, links, length, deployment }: RequestQueue, active: number): boolean {
    if (links.size >= this.#options.pool.size) return false
    let batchMs = 0
    for (const link of links) batchMs = Math.max(batchMs, link.workload.batchMs)
    const batches = length / deployment.batch.maxSize
    const waitMs = (batches * batchMs) / (active * deployment.concurrency)
    return waitMs > this.#history.expectedMs(key) && this.#mayHelp(key)
  }

  /** Starts a runner where there is room, or (`any`) will be; gives back why there neither is nor will be any. */
  #startIn(room: 'free' | 'any', queue: RequestQueue, principal: string): AnyIsoplexError | null {
    const { pool, occupancy, loans } = this.#options
    const placement = occupancy.placeFor(queue, principal)
    const { outcome } = placement
    if (outcome === 'later') loans.block()
    if (outcome === 'too-large') return modelTooLarge(queue, queue.model?.bytes ?? 0, placement.limitBytes)
    if (outcome === 'taken') return roomTaken(queue)
    if (outcome === 'free' || (outcome === 'full' && room === 'any')) {
      const replica = pool.replicas.find(({ number }) => number === placement.replica)
      if (replica) this.#start(replica, queue, principal)
    }
    return null
  }

  #start(replica: ReplicaProcess, queue: RequestQueue, principal: string): void {
    const { pool, loadTimeoutMs } = this.#options
    const loads = [...replica.links].filter(({ state }) => state === 'starting')
    const link = pool.start(replica, queue)
    link.principal = principal
    for (const load of loads) load.loadedAlone = false
    link.loadedAlone = loads.length === 0
    queue.links.add(link)
    link.within(loadTimeoutMs, () => {
      if (link.state === 'starting')
        this.#failed(link, loadBroken(queue, `did not come up within ${loadTimeoutMs} ms`))
      pool.terminate(link, 'it does not come up')
    })
  }

  #failed(link: RunnerLink, error: AnyIsoplexError): void {
    link.departure = 'failed'
    link.queue.tally.loadFailed(error.code)
    this.#note(link.queue, error)
  }

  #note(queue: RequestQueue, error: AnyIsoplexError): void {
    // Where another runner serves the queue, the load was only to help it.
    const isServed = presenceOf(queue).active > 0
    this.#history.failed(queue.key, error, isServed ? 'further' : 'first')
    if (!isServed) this.#refuse(queue, error)
  }

  #refuse(queue: RequestQueue, error: AnyIsoplexError): void {
    queue.failAll(error)
    this.#options.wishes.refuse(queue, error)
  }

  #sayFallbacks(fallbacks: readonly string[]): void {
    for (const fallback of fallbacks) {
      if (this.#saidFallbacks.has(fallback)) continue
      this.#saidFallbacks.add(fallback)
      this.#options.log.warn(fallback)
    }
  }
}
