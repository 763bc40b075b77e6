import type { AnyIsoplexError } from '../error/error.ts'
import type { WireError } from '../error/wire.ts'
import { takeCensus } from './census.ts'
import { Departures, reasonOf } from './departures.ts'
import { draining } from './failure.ts'
import { decodeJson, type Frame, frameKinds } from './frame.ts'
import { idleReasonOf } from './idleness.ts'
import type { KeeperEvents } from './keeper-events.ts'
import { RunnerLoader } from './loader.ts'
import { Loans } from './loans.ts'
import type { RunnerReport } from './message.ts'
import { holds, isFurther, keptOf, Occupancy, type OccupancyLimits, presenceOf } from './occupancy.ts'
import { type EndOfRunner, type PoolOptions, ReplicaPool } from './pool.ts'
import type { RequestQueue } from './queue.ts'
import { leavingOf, relocationOf } from './relocation.ts'
import type { DepartureReason, ResidencyReport } from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'
import { type CurrentDeployments, isKeptForCallers, isStale } from './staleness.ts'
import { type LoadOptions, Wishes } from './wishes.ts'

/** How many runners are kept, and for how long. */
export interface KeeperOptions extends PoolOptions, OccupancyLimits {
  /** The longest that a function and its model may take to come up. */
  readonly loadTimeoutMs: number
  /** How long an unused runner is kept; a further one of the same model a tenth of that, a second at least. */
  readonly runnerIdleMs: number
}

/** How often, at least, it is looked for what nobody uses and for what is missing. */
const sweepMs = 1_000

/**
 * Keeps runners: starts them where there is room, makes room by the rules of the cache, and retires those that
 * are unused or whose code is no longer current. A newcomer is loaded beside those whose place it takes; it takes no
 * request before they are gone, and they stay where its load fails.
 */
export class RunnerKeeper {
  readonly pool: ReplicaPool
  readonly #options: KeeperOptions
  readonly #events: KeeperEvents
  readonly #wishes = new Wishes()
  readonly #departures = new Departures()
  readonly #occupancy: Occupancy
  readonly #loader: RunnerLoader
  readonly #loans: Loans
  readonly #sweep: Timer
  readonly #isPinned = ({ queue }: RunnerLink): boolean => this.#wishes.isPinned(queue)
  #current: CurrentDeployments = null
  #closing = false

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.#options = options
    this.#events = events
    this.pool = new ReplicaPool(options, {
      replicaReady: () => this.#changed(),
      spareReady: () => this.#changed(),
      leaving: () => this.#changed(),
      frame: (link, frame) => this.#receive(link, frame),
      ended: (link, how) => this.#ended(link, how),
    })
    this.#occupancy = new Occupancy(this.pool, options, this.#isPinned)
    this.#loans = new Loans(this.#occupancy)
    this.#loader = new RunnerLoader({
      ...options,
      pool: this.pool,
      occupancy: this.#occupancy,
      wishes: this.#wishes,
      loans: this.#loans,
      suspect: (queue) => events.suspectLoad(queue),
    })
    this.#sweep = setInterval(() => this.#tidy(), Math.min(sweepMs, options.runnerIdleMs / 2 + 1)).unref()
  }

  /** Why a queue's model is not to be loaded now, if it failed a moment ago. */
  recentFailure(queue: RequestQueue): AnyIsoplexError | undefined {
    return this.#loader.recentFailure(queue)
  }

  /**
   * Starts a runner for a queue that has none, or a further one in spare room where what waits would wait for longer
   * than a load takes. It does nothing where one is on its way already, or no replica can take one now. Where the
   * model can have no room at all, what waits for it fails: `ROOM_TAKEN`, `MODEL_TOO_LARGE`.
   */
  want(queue: RequestQueue): void {
    if (!this.#closing) this.#loader.want(queue)
  }

  /**
   * Has a runner of a queue come up, as if a request waited for it; resolves once it serves. A pin stays where that
   * fails: the load is tried again.
   *
   * @throws {IsoplexError} why its model cannot be loaded, `ROOM_TAKEN`, `MODEL_TOO_LARGE`, `DRAINING`.
   */
  async load(queue: RequestQueue, { pin, principal }: LoadOptions): Promise<void> {
    if (this.#closing) throw draining()
    if (pin) {
      this.setPinned(queue.deployment.name, queue.model?.key ?? '', true)
      this.#wishes.identify(queue, principal)
    }
    if (presenceOf(queue).active > 0) return
    const served = this.#wishes.wait(queue, principal)
    this.want(queue)
    await served
  }

  /**
   * Retires every runner of a model, of one function or (`null`) of all, and unpins it; resolves once they are gone,
   * with how many they were.
   */
  async unload(deploymentName: string | null, modelKey: string): Promise<number> {
    this.#unpin(deploymentName, modelKey)
    const links = keptOf(this.pool).filter((link) => holds(link, deploymentName, modelKey))
    for (const link of links) this.#retire(link, 'unload')
    await Promise.all(links.map(({ gone }) => gone))
    return links.length
  }

  /**
   * Pins a model of a function, or lets it go again. A pinned model is not unloaded for want of use or of room, and
   * is loaded again where its runner dies. One that is not loaded yet is pinned from its first load on.
   */
  setPinned(deploymentName: string, modelKey: string, pinned: boolean): void {
    if (pinned) {
      this.#wishes.pin(deploymentName, modelKey)
      for (const { queue, principal } of keptOf(this.pool)) this.#wishes.identify(queue, principal)
    } else this.#unpin(deploymentName, modelKey)
  }

  /** Whether a queue has to be kept, although nothing waits in it and nobody serves it. */
  keeps(queue: RequestQueue): boolean {
    return this.#wishes.keeps(queue)
  }

  /** Reports what is loaded where, and what has left lately. */
  report(): ResidencyReport {
    return takeCensus(this.pool, this.#departures.list(), this.#isPinned)
  }

  /** A suspected load is not why replicas died: it is tried as usual. */
  acquit(queue: RequestQueue): void {
    this.#loader.acquit(queue)
    this.#changed()
  }

  /** A load that was suspected is why replicas died: it has failed. */
  condemn(queue: RequestQueue, error: AnyIsoplexError): void {
    this.#loader.condemn(queue, error)
  }

  /** Names the deployments that are current: runners of others finish what they have and go. */
  setCurrent(deploymentIds: ReadonlySet<string>): void {
    this.#current = deploymentIds
    for (const link of keptOf(this.pool)) this.settle(link)
  }

  /** To be called when a runner may have become idle: it goes if it has to. */
  settle(link: RunnerLink): void {
    if (this.#loans.unblocks(link)) this.#changed()
    if (!link.idle) return
    this.#reclaim()
    if (link.state === 'active' && this.#isOver(link)) {
      link.state = 'retiring'
      link.departure = 'stale'
    }
    if (link.state !== 'retiring') return
    link.stop()
    link.within(link.takedownMs, () => this.pool.terminate(link, 'it does not end'))
  }

  /** Retires every runner, then ends the replicas; by force after the time given. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true
    clearInterval(this.#sweep)
    this.#wishes.clear(draining())
    for (const link of this.pool.links) this.#retire(link, 'stop')
    await this.pool.close(timeoutMs)
  }

  #receive(link: RunnerLink, frame: Frame): void {
    const { kind, payload } = frame
    if (kind === frameKinds.ready) this.#cameUp(link, decodeJson<RunnerReport>(payload))
    else if (kind === frameKinds.failed && link.state === 'starting') {
      this.#loader.failed(link, decodeJson<WireError>(payload))
      this.#retire(link, 'failed')
    } else this.#events.frame(link, frame)
  }

  #cameUp(link: RunnerLink, report: RunnerReport): void {
    // One that was retired meanwhile has been told to end.
    if (link.state !== 'starting') return
    if (this.#loader.cameUp(link, report)) this.#settleIn(link)
    else this.#retire(link, 'failed')
    this.#changed()
  }

  /** Lets a loaded runner take work as soon as the residents that it replaces have gone. */
  #settleIn(link: RunnerLink): void {
    const { queue, principal } = link
    const admission = this.#occupancy.admissionOf(link)
    if (this.#isOver(link)) this.#retire(link, 'stale')
    else if (admission.outcome === 'admitted') {
      if (this.#occupancy.isLent(link)) this.#loans.lend()
      link.state = 'active'
      link.activeMs = performance.now()
      this.#wishes.identify(queue, principal)
      this.#wishes.fulfil(queue)
      this.#events.changed(queue)
    } else if ((admission.outcome === 'full' || admission.outcome === 'later') && !isFurther(link)) {
      if (admission.outcome === 'full')
        for (const { resident, reason } of admission.victims) this.#retire(resident.key, reason)
      this.#loans.block()
    } else {
      // Its place was taken meanwhile, by what must stay; or it was only to help, and helps nobody by eviction.
      this.#loader.displaced(link)
      this.#retire(link, isFurther(link) ? 'shrink' : 'failed')
    }
  }

  /** Takes a runner out of service: it finishes what it has in hand, frees its model and ends. */
  #retire(link: RunnerLink, reason: DepartureReason): void {
    if (link.state === 'retiring' || link.state === 'gone') return
    link.state = 'retiring'
    link.departure = reason
    this.settle(link)
  }

  /** Has those go that are beyond the limits since places were lent, as soon as they can. */
  #reclaim(): void {
    for (const { resident, reason } of this.#loans.due(keptOf(this.pool))) this.#retire(resident.key, reason)
  }

  #isOver(link: RunnerLink): boolean {
    if (!isStale(link, this.#current) || this.#events.needs(link.queue)) return false
    return !this.#wishes.isAwaited(link.queue) && !isKeptForCallers(link, this.pool.links, this.#current)
  }

  #ended(link: RunnerLink, how: EndOfRunner): void {
    const { queue } = link
    queue.links.delete(link)
    if (how.during === 'starting') this.#loader.died(link, how)
    const reason = reasonOf(link)
    this.#departures.add(link, reason)
    queue.tally.left(reason)
    link.end()
    this.#events.ended(link, how)
    for (const other of keptOf(this.pool)) if (isStale(other, this.#current)) this.settle(other)
    if (how.crashed && how.during === 'active') this.#loader.bereave(queue)
    this.#changed()
  }

  #changed(): void {
    for (const waiting of keptOf(this.pool)) if (waiting.state === 'loaded') this.#settleIn(waiting)
    this.#events.changed(null)
    this.#relocate()
    this.#fulfilWishes()
    if (!this.#closing) this.#loader.spread()
  }

  /** Moves the runners of a replica that leaves, those first that were used last. */
  #relocate(): void {
    for (const link of leavingOf(keptOf(this.pool))) {
      const facts = { pinned: this.#isPinned(link), nowMs: performance.now() }
      const relocation = this.#closing || this.pool.size === 0 ? 'go' : relocationOf(link, facts)
      const mayStay = relocation === 'wait' || (relocation === 'succeed' && this.#loader.succeed(link))
      if (!mayStay) this.#retire(link, 'replaced')
    }
  }

  /** Has what is pinned, or was asked for, loaded where nobody serves it. */
  #fulfilWishes(): void {
    for (const queue of this.#wishes.queues()) {
      const isCurrent = !isStale(queue, this.#current)
      if (presenceOf(queue).active === 0 && (isCurrent || this.#wishes.isAwaited(queue))) this.want(queue)
    }
  }

  #tidy(): void {
    const { runnerIdleMs } = this.#options
    const nowMs = performance.now()
    for (const link of keptOf(this.pool)) {
      const reason = idleReasonOf(link, nowMs, { runnerIdleMs, isPinned: this.#isPinned })
      if (reason) this.#retire(link, reason)
      this.#loader.examine(link, nowMs)
    }
    this.#reclaim()
    this.#relocate()
    this.#fulfilWishes()
  }

  #unpin(deploymentName: string | null, modelKey: string): void {
    // A queue may have been kept for its pin alone.
    for (const queue of this.#wishes.unpin(deploymentName, modelKey)) this.#events.changed(queue)
  }
}
