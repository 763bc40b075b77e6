import { FailureMemory } from '../cache/failure-memory.ts'
import { type Admission, admit } from '../cache/residency.ts'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import type { Deployment } from './deployment.ts'
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
  frame(link: RunnerLink, queue: RequestQueue, frame: Frame): void
  /** A runner has ended; what it had in hand is the scheduler's to run again. */
  ended(link: RunnerLink, queue: RequestQueue): void
}

/** Loads that one replica works on side by side. */
const maxLoadsPerReplica = 2
/** Deaths during a load after which the model is held to be the reason. */
const maxLoadDeaths = 2
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
  readonly #queues = new WeakMap<RunnerLink, RequestQueue>()
  readonly #failures = new FailureMemory<AnyIsoplexError>(failureOptions)
  readonly #saidFallbacks = new Set<string>()
  readonly #sweep: Timer
  #current: ReadonlySet<string> | null = null

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.#options = options
    this.#events = events
    this.pool = new ReplicaPool(options, {
      replicaReady: () => events.changed(null),
      frame: (link, frame) => this.#receive(link, frame),
      ended: (link, how) => this.#ended(link, how),
    })
    this.#sweep = setInterval(() => this.#retireUnused(), Math.min(30_000, options.runnerIdleMs / 2 + 1))
    this.#sweep.unref()
  }

  /** Why a queue's model is not to be loaded now, if it failed a moment ago. */
  recentFailure(queue: RequestQueue): AnyIsoplexError | undefined {
    return this.#failures.get(queue.key, performance.now())
  }

  /**
   * Starts a runner for a queue that has none, or a further one where a replica has room to spare. It does
   * nothing where one is on its way already, or no replica can take one now.
   */
  want(queue: RequestQueue): void {
    const { deployment } = queue
    const links = [...queue.links]
    if (links.some((link) => link.state === 'starting' || link.state === 'loaded')) return
    const spreads = links.some((link) => link.state === 'active')
    const [replica] = this.pool.replicas
      .filter((candidate) => loadsOf(candidate) < maxLoadsPerReplica)
      .filter((candidate) => links.every((link) => link.replica !== candidate))
      .filter((candidate) => !spreads || this.#admission(candidate, deployment).admitted)
      .toSorted((a, b) => crowdOf(a, deployment) - crowdOf(b, deployment) || a.links.size - b.links.size)
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
    if (link.state === 'retiring') link.connection?.send(frameKinds.stop, 0, 0, [])
    else if (link.state === 'active' && this.#isStale(link)) this.#retire(link)
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

  #start(replica: ReplicaProcess, queue: RequestQueue): void {
    const link = this.pool.start(replica, queue.deployment, queue.model, queue.key)
    this.#queues.set(link, queue)
    queue.links.add(link)
    const { loadTimeoutMs } = this.#options
    setTimeout(() => {
      if (link.state !== 'starting') return
      this.#loadFailed(link, loadError(link, `did not come up within ${loadTimeoutMs} ms`))
      this.terminate(link, 'its load takes too long')
    }, loadTimeoutMs).unref()
  }

  #admission(replica: ReplicaProcess, deployment: Deployment): Admission<RunnerLink> {
    const residents = [...replica.links]
      .filter((link) => link.state === 'active' || link.state === 'retiring')
      .map((link) => ({
        key: link,
        group: link.deployment.id,
        inUse: !link.idle && link.state !== 'retiring',
        // Whoever is on the way out makes room before anybody else has to.
        lastUsedMs: link.state === 'retiring' ? Number.NEGATIVE_INFINITY : link.lastUsedMs,
      }))
    const { maxRunnersPerReplica: maxInAll } = this.#options
    return admit(residents, deployment.id, { maxInGroup: deployment.maxInReplica, maxInAll })
  }

  #receive(link: RunnerLink, frame: Frame): void {
    const queue = this.#queues.get(link)
    if (!queue) return
    if (frame.kind === frameKinds.ready) {
      this.#cameUp(link, decodeJson<RunnerReport>(frame.payload))
      queue.loadDeaths = 0
      this.#failures.delete(queue.key)
      this.#settleIn(link)
      this.#events.changed(null)
    } else if (frame.kind === frameKinds.failed) {
      this.#loadFailed(link, fromWire(decodeJson<WireError>(frame.payload)))
      this.#retire(link)
    } else {
      this.#events.frame(link, queue, frame)
    }
  }

  #cameUp(link: RunnerLink, { providers, fallbacks }: RunnerReport): void {
    link.state = 'loaded'
    link.providers = providers
    link.fallbacks = fallbacks
    for (const fallback of fallbacks) {
      if (this.#saidFallbacks.has(fallback)) continue
      this.#saidFallbacks.add(fallback)
      this.#options.log.warn(fallback)
    }
  }

  /** Lets a loaded runner take work as soon as the residents that it replaces have gone. */
  #settleIn(link: RunnerLink): void {
    const admission = this.#admission(link.replica, link.deployment)
    if (admission.admitted) {
      link.state = 'active'
      this.#events.changed(this.#queues.get(link) ?? null)
      this.settle(link)
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

  #isStale(link: RunnerLink): boolean {
    const waiting = this.#queues.get(link)?.length ?? 0
    return this.#current !== null && !this.#current.has(link.deployment.id) && waiting === 0
  }

  #retireUnused(): void {
    const oldestMs = performance.now() - this.#options.runnerIdleMs
    for (const link of this.pool.links) {
      if (link.state === 'active' && link.idle && link.lastUsedMs < oldestMs) this.#retire(link)
    }
  }

  #loadFailed(link: RunnerLink, error: AnyIsoplexError): void {
    const queue = this.#queues.get(link)
    // Where another runner serves the queue, the load was only to help it.
    if (!queue || [...queue.links].some((other) => other.state === 'active')) return
    this.#failures.add(queue.key, error, performance.now())
    queue.failAll(error)
  }

  #ended(link: RunnerLink, { during, crashed }: EndOfRunner): void {
    const queue = this.#queues.get(link)
    if (!queue) return
    queue.links.delete(link)
    if (during === 'starting') {
      queue.loadDeaths += 1
      if (!crashed || queue.loadDeaths >= maxLoadDeaths) {
        this.#loadFailed(link, loadError(link, crashed ? 'ended its process' : 'ended its thread'))
      }
    }
    this.#events.ended(link, queue)
    for (const waiting of link.replica.links) if (waiting.state === 'loaded') this.#settleIn(waiting)
    this.#events.changed(null)
  }
}

function loadsOf(replica: ReplicaProcess): number {
  return [...replica.links].filter((link) => link.state === 'starting').length
}

function crowdOf(replica: ReplicaProcess, { name }: Deployment): number {
  return [...replica.links].filter((link) => link.deployment.name === name).length
}

function loadError(link: RunnerLink, what: string): AnyIsoplexError {
  const { name } = link.deployment
  const id = link.model?.info.id
  return id === undefined
    ? new IsoplexError('FUNCTION_BROKEN', `Function "${name}" ${what} while it was set up.`)
    : new IsoplexError('MODEL_BROKEN', `Model "${id}" ${what} while function "${name}" loaded it.`, {
        details: { model: id },
      })
}
