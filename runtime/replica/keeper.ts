import { LRUCache } from 'lru-cache'
import { FailureMemory } from '../cache/failure-memory.ts'
import { type Admission, admit } from '../cache/residency.ts'
import type { AnyIsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import { loadBroken, noThread } from './failure.ts'
import { decodeJson, type Frame, frameKinds } from './frame.ts'
import type { RunnerReport } from './message.ts'
import { type EndOfRunner, type PoolOptions, ReplicaPool } from './pool.ts'
import type { RequestQueue } from './queue.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { RunnerLink } from './runner-link.ts'

/** How many runners are kept, and for how long. */
export interface KeeperOptions extends PoolOptions {
  /** The most runners of one replica. */
  readonly maxRunnersPerReplica: number
  /** The longest that a function and its model may take to come up. */
  readonly loadTimeoutMs: number
  /** How long an unused runner is kept. */
  readonly runnerIdleMs: number
}

/** What the keeper tells the scheduler. */
export interface KeeperEvents {
  /** Something has changed that may let waiting requests go on: `queue` of that queue, `null` of any. */
  changed(queue: RequestQueue | null): void
  /** A frame that belongs to a request. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner has ended; what it had in hand is the scheduler's to run again. `changed` follows. */
  ended(link: RunnerLink, how: EndOfRunner): void
  /** Whether requests wait for a runner of a queue. */
  needs(queue: RequestQueue): boolean
}

/** Loads that one replica works on side by side. */
const maxLoadsPerReplica = 2
/** How often a replica may die during a load before the load is held to be the reason; where nothing else can be. */
const maxLoadDeaths = { shared: 6, sole: 2 } as const
/** How long a load that failed is not tried again: doubled each time, up to the longest. */
const failureOptions = { firstMs: 1_000, longestMs: 60_000, maxKeys: 1_000 }

/**
 * Keeps runners: starts them where there is room, makes room by the rules of the cache, and retires those
 * that are unused or whose code is no longer current. One more than the limit may be loaded while the one that
 * it replaces finishes; it takes no request before that one is gone.
 */
export class RunnerKeeper {
  readonly pool: ReplicaPool
  readonly #options: KeeperOptions
  readonly #events: KeeperEvents
  /** By queue: why it has no runner. */
  readonly #failures = new FailureMemory<AnyIsoplexError>(failureOptions)
  /** By queue: why it has no further runner beside the one that serves it. */
  readonly #spreadFailures = new FailureMemory<AnyIsoplexError>(failureOptions)
  /** By queue: replicas that have died during its loads since the last that came up. */
  readonly #loadDeaths = new LRUCache<string, number>({ max: failureOptions.maxKeys })
  readonly #saidFallbacks = new Set<string>()
  readonly #sweep: Timer
  #current: ReadonlySet<string> | null = null

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.#options = options
    this.#events = events
    this.pool = new ReplicaPool(options, {
      replicaReady: () => events.changed(null),
      spareReady: () => events.changed(null),
      leaving: ({ links }) => {
        for (const link of links) this.#retire(link)
      },
      frame: (link, frame) => this.#receive(link, frame),
      ended: (link, how) => this.#ended(link, how),
    })
    this.#sweep = setInterval(() => this.#retireUnused(), Math.min(30_000, options.runnerIdleMs / 2 + 1))
    this.#sweep.unref()
  }

  /** Why a queue's model is not to be loaded now, if it failed a moment ago. */
  recentFailure({ key }: RequestQueue): AnyIsoplexError | undefined {
    return this.#failures.get(key, performance.now())
  }

  /**
   * Starts a runner for a queue that has none, or a further one where a replica has room to spare. It does
   * nothing where one is on its way already, or no replica can take one now.
   */
  want(queue: RequestQueue): void {
    if (queue.links.size >= this.pool.size) return
    const states = [...queue.links].map((link) => link.state)
    if (states.includes('starting') || states.includes('loaded')) return
    const serves = states.includes('active')
    if (serves && this.#spreadFailures.get(queue.key, performance.now())) return
    const replica = this.#placeFor(queue, serves ? 0 : 1)
    if (replica) this.#start(replica, queue)
  }

  /** Names the deployments that are current: runners of others finish what they have and go. */
  setCurrent(deploymentIds: ReadonlySet<string>): void {
    this.#current = deploymentIds
    for (const link of this.pool.links) this.settle(link)
  }

  /** To be called when a runner may have become idle: it goes if it has to. */
  settle(link: RunnerLink): void {
    if (!link.idle) return
    if (link.state === 'active' && this.#isStale(link)) link.state = 'retiring'
    if (link.state !== 'retiring') return
    link.stop()
    link.within(link.deployment.timeoutMs, () => this.terminate(link, 'it does not end'))
  }

  /** Ends a runner at once, whatever it does. */
  terminate(link: RunnerLink, why: string): void {
    this.pool.terminate(link, why)
  }

  /** Retires every runner, then ends the replicas; by force after the time given. */
  async close(timeoutMs: number): Promise<void> {
    clearInterval(this.#sweep)
    for (const link of this.pool.links) this.#retire(link)
    await this.pool.close(timeoutMs)
  }

  /** The replica with the most room for a runner; `surplus` is how many it may have beyond its limits. */
  #placeFor(queue: RequestQueue, surplus: number): ReplicaProcess | null {
    const { deployment, links } = queue
    const taken = new Set([...links].map((link) => link.replica))
    let best: { readonly replica: ReplicaProcess; readonly peers: number } | null = null
    for (const replica of this.pool.replicas) {
      if (replica.reserved || taken.has(replica)) continue
      const { peers, loads, risky } = this.#crowdOf(replica, queue)
      if (loads >= (risky ? 1 : maxLoadsPerReplica)) continue
      if (peers >= deployment.maxInReplica + surplus) continue
      if (replica.links.size >= this.#options.maxRunnersPerReplica + surplus) continue
      const roomier = best && (peers - best.peers || replica.links.size - best.replica.links.size) >= 0
      if (!roomier) best = { replica, peers }
    }
    return best?.replica ?? null
  }

  /** Who is in a replica beside a newcomer. A load that ended a replica before has to be the only one. */
  #crowdOf(replica: ReplicaProcess, { deployment, key }: RequestQueue): Crowd {
    const crowd = { peers: 0, loads: 0, risky: this.#loadDeaths.has(key) }
    for (const link of replica.links) {
      if (link.deployment.id === deployment.id) crowd.peers += 1
      if (link.state !== 'starting') continue
      crowd.loads += 1
      crowd.risky ||= this.#loadDeaths.has(link.queue.key)
    }
    return crowd
  }

  #start(replica: ReplicaProcess, queue: RequestQueue): void {
    const link = this.pool.start(replica, queue)
    queue.links.add(link)
    const { loadTimeoutMs } = this.#options
    link.within(loadTimeoutMs, () => {
      if (link.state === 'starting')
        this.#loadFailed(link, loadBroken(link.queue, `did not come up within ${loadTimeoutMs} ms`))
      this.terminate(link, 'it does not come up')
    })
  }

  #admission({ replica, deployment }: RunnerLink): Admission<RunnerLink> {
    const residents = [...replica.links]
      .filter((link) => link.state === 'active' || link.state === 'retiring')
      .map((link) => ({
        key: link,
        group: link.deployment.id,
        inUse: !link.idle && link.state !== 'retiring',
        lastUsedMs: lastUseOf(link),
      }))
    const { maxRunnersPerReplica: maxInAll } = this.#options
    return admit(residents, deployment.id, { maxInGroup: deployment.maxInReplica, maxInAll })
  }

  #receive(link: RunnerLink, frame: Frame): void {
    if (frame.kind === frameKinds.ready) this.#cameUp(link, decodeJson<RunnerReport>(frame.payload))
    else if (frame.kind === frameKinds.failed && link.state === 'starting') {
      this.#loadFailed(link, fromWire(decodeJson<WireError>(frame.payload)))
      this.#retire(link)
    } else this.#events.frame(link, frame)
  }

  #cameUp(link: RunnerLink, { providers, fallbacks }: RunnerReport): void {
    // One that was retired meanwhile has been told to end.
    if (link.state !== 'starting') return
    link.inTime()
    link.state = 'loaded'
    link.providers = providers
    link.fallbacks = fallbacks
    for (const fallback of fallbacks) {
      if (this.#saidFallbacks.has(fallback)) continue
      this.#saidFallbacks.add(fallback)
      this.#options.log.warn(fallback)
    }
    for (const memory of [this.#failures, this.#spreadFailures, this.#loadDeaths])
      memory.delete(link.queue.key)
    this.#settleIn(link)
    this.#events.changed(null)
  }

  /** Lets a loaded runner take work as soon as the residents that it replaces have gone. */
  #settleIn(link: RunnerLink): void {
    if (this.#isStale(link)) {
      this.#retire(link)
      return
    }
    const admission = this.#admission(link)
    if (admission.admitted) {
      link.state = 'active'
      this.#events.changed(link.queue)
    } else {
      for (const { key: victim } of admission.victims) this.#retire(victim)
    }
  }

  /** Takes a runner out of service: it finishes what it has in hand, frees its model and ends. */
  #retire(link: RunnerLink): void {
    if (link.state === 'retiring' || link.state === 'gone') return
    link.state = 'retiring'
    this.settle(link)
  }

  #isStale({ deployment, queue }: RunnerLink): boolean {
    return this.#current !== null && !this.#current.has(deployment.id) && !this.#events.needs(queue)
  }

  #retireUnused(): void {
    const oldestMs = performance.now() - this.#options.runnerIdleMs
    for (const link of this.pool.links) {
      if (link.state === 'active' && link.idle && link.lastUsedMs < oldestMs) this.#retire(link)
    }
  }

  #loadFailed({ queue }: RunnerLink, error: AnyIsoplexError): void {
    const nowMs = performance.now()
    // Where another runner serves the queue, the load was only to help it.
    if ([...queue.links].some((other) => other.state === 'active')) {
      this.#spreadFailures.add(queue.key, error, nowMs)
    } else {
      this.#failures.add(queue.key, error, nowMs)
      queue.failAll(error)
    }
  }

  #ended(link: RunnerLink, how: EndOfRunner): void {
    link.queue.links.delete(link)
    if (how.during === 'starting') this.#diedLoading(link, how)
    this.#events.ended(link, how)
    for (const waiting of link.replica.links) if (waiting.state === 'loaded') this.#settleIn(waiting)
    this.#events.changed(null)
  }

  #diedLoading(link: RunnerLink, { crashed, blame, refusal }: EndOfRunner): void {
    if (refusal !== null) this.#loadFailed(link, noThread(link.queue))
    if (blame === 'none') return
    const { key } = link.queue
    const deaths = crashed ? (this.#loadDeaths.get(key) ?? 0) + 1 : 0
    if (crashed) this.#loadDeaths.set(key, deaths)
    if (crashed && deaths < maxLoadDeaths[blame]) return
    this.#loadFailed(link, loadBroken(link.queue, crashed ? 'ended its process' : 'ended its thread'))
  }
}

interface Crowd {
  /** Runners of the same deployment. */
  peers: number
  /** Loads under way. */
  loads: number
  /** Whether one of the loads, or the newcomer's, may end the replica. */
  risky: boolean
}

/** When a runner was last used, for the choice of who makes room. */
function lastUseOf(link: RunnerLink): number {
  // Whoever is on the way out makes room before anybody else has to.
  if (link.state === 'retiring') return Number.NEGATIVE_INFINITY
  // A stream may last for long, and nothing could take its place before its end.
  return link.streaming ? Number.POSITIVE_INFINITY : link.lastUsedMs
}
