import { join } from 'node:path'
import type { ModelPart } from '../model/composite.ts'
import type { HeldPart } from '../runner/graph-parts.ts'
import type { CrewOptions } from './crew-options.ts'
import type { Frame } from './frame.ts'
import type { RunnerOrder, RunnerRefusal } from './message.ts'
import type { RequestQueue } from './queue.ts'
import { ReplicaCrew } from './replica-crew.ts'
import type { ReplicaProcess } from './replica-process.ts'
import { RunnerGate } from './runner-gate.ts'
import { RunnerLink, type RunnerState } from './runner-link.ts'

/** What whoever started a runner wants to hear of it. */
export interface RunnerEvents {
  /** A frame of a runner, other than its greeting. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner has ended; every frame that it sent has been told before. */
  ended(link: RunnerLink, how: EndOfRunner): void
}

/** What the pool's owner wants to hear. */
export interface PoolEvents extends RunnerEvents {
  /** A replica takes orders. */
  replicaReady(): void
  /** A spare is at hand: `takeSpare` gives it. */
  spareReady(): void
  /**
   * A fresh replica has taken a replica's place. The old one takes no newcomers; its runners have to be retired, and
   * it ends with the last of them.
   */
  leaving(replica: ReplicaProcess): void
}

/** How a runner ended. */
export interface EndOfRunner {
  /** What it was doing. */
  readonly during: RunnerState
  /** Whether its whole process died, and not only its thread. */
  readonly crashed: boolean
  /**
   * Whether what went on in it may be the reason: no (`none`), because the gateway ended it or a neighbour in its
   * process; for certain (`sole`), because nothing else went on in what ended; else perhaps (`shared`).
   */
  readonly blame: 'none' | 'shared' | 'sole'
  /** Why it never had a thread; `null` where it had one. */
  readonly refusal: RunnerRefusal | null
}

/** How a pool is set up. */
export interface PoolOptions extends CrewOptions {
  /** A folder of this gateway alone, open to its user only, for the socket. */
  readonly runDirectory: string
  readonly session: RunnerOrder['session']
  readonly inputHosts: RunnerOrder['inputHosts']
  readonly logLevel: RunnerOrder['logLevel']
}

/** How long a runner may take to end after it was told to, before its process is ended instead. */
const terminationMs = 2_000
/** How long the connection of a runner that has ended is read: a process of its own making may keep it open. */
const lastWordsMs = 1_000

/** Keeps replicas, and knows every runner in them. */
export class ReplicaPool {
  readonly #options: PoolOptions
  readonly #events: PoolEvents
  readonly #crew: ReplicaCrew
  readonly #links = new Map<number, RunnerLink>()
  readonly #hearers = new Map<RunnerLink, RunnerEvents>()
  readonly #socketPath: string
  readonly #gate: RunnerGate
  #nextRunner = 1
  #closing = false
  readonly #emptied = Promise.withResolvers<void>()

  constructor(options: PoolOptions, events: PoolEvents) {
    this.#options = options
    this.#events = events
    this.#socketPath = join(options.runDirectory, 'gateway.sock')
    this.#gate = new RunnerGate(this.#socketPath, options.log, {
      find: (runner) => this.#links.get(runner),
      frame: (link, frame) => this.#hearers.get(link)?.frame(link, frame),
      disconnected: (link) => this.#disconnected(link),
      unreadable: (link) => this.terminate(link, 'what it sends cannot be read'),
    })
    this.#crew = new ReplicaCrew(
      { ...options, door: this.#gate },
      {
        replicaReady: () => events.replicaReady(),
        spareReady: () => events.spareReady(),
        leaving: (replica) => events.leaving(replica),
        runnerEnded: (runner, refusal) => this.#runnerEnded(runner, refusal),
        died: (replica) => this.#died(replica),
      },
    )
  }

  /** The replicas that serve: they take orders, and newcomers. */
  get replicas(): readonly ReplicaProcess[] {
    return this.#crew.serving
  }

  /** Every process that has not ended, whatever it is there for. */
  get processes(): Iterable<ReplicaProcess> {
    return this.#crew.processes
  }

  /** The group that its replicas are; `null` for the default group. */
  get group(): string | null {
    return this.#options.group ?? null
  }

  /** How many replicas are kept to serve, ready or not. */
  get size(): number {
    return this.#crew.placeNumbers.length
  }

  /** Whether there may be more of them soon, or none, as nodes come and go. */
  get changing(): boolean {
    return this.#options.places !== undefined
  }

  /** Sets how many replicas are to serve: see {@link ReplicaCrew.resize}. */
  resize(replicas: number): void {
    this.#crew.resize(replicas)
  }

  /** Every runner that has not ended. */
  get links(): Iterable<RunnerLink> {
    return this.#links.values()
  }

  /**
   * Gives the spare away as a replica of the caller's own: nobody else uses it, and its death is like any other but
   * that nobody takes its place. `null` where none is at hand; `spareReady` tells of the next.
   */
  takeSpare(): ReplicaProcess | null {
    return this.#crew.takeSpare()
  }

  /** Ends a replica that {@link takeSpare} gave: its runners are taken down, by force after a while. */
  dismiss(replica: ReplicaProcess): void {
    for (const link of replica.links) {
      link.state = 'retiring'
      link.stop()
      link.within(terminationMs, () => this.terminate(link, 'its replica is dismissed'))
    }
    this.#crew.dismiss(replica)
  }

  /** Starts a runner for a queue in a replica; what becomes of it is told to `hearer`, the pool's owner by default. */
  start(replica: ReplicaProcess, queue: RequestQueue, hearer: RunnerEvents = this.#events): RunnerLink {
    const link = new RunnerLink(this.#nextRunner++, queue, replica)
    const { name, functionName, bundlePath, concurrency, options, apart } = queue.deployment
    const { session, inputHosts, logLevel } = this.#options
    this.#crew.expectsModels ||= queue.model !== null
    this.#links.set(link.id, link)
    this.#hearers.set(link, hearer)
    replica.links.add(link)
    replica.start({
      runner: link.id,
      gateway: { unix: this.#socketPath },
      nonce: link.nonce,
      name: functionName,
      bundlePath,
      deployment: name,
      options,
      apart,
      concurrency,
      model: queue.model?.info ?? null,
      parts: queue.model?.parts?.map(toHeldPart) ?? [],
      session: { ...session, ...queue.deployment.session },
      inputHosts,
      logLevel,
    })
    return link
  }

  /** Ends a runner's thread, and its process where the thread does not go. */
  terminate(link: RunnerLink, why: string): void {
    if (link.terminated) return
    link.terminated = true
    link.state = 'retiring'
    this.#options.log.warn('A runner is ended', { ...factsOf(link), why })
    link.replica.terminate(link.id)
    link.within(terminationMs, () => {
      this.#options.log.error('A runner does not end: its replica is ended', factsOf(link))
      link.replica.kill()
    })
  }

  /** Waits until the runners have ended, then ends the replicas; by force after the time given. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true
    this.#crew.close()
    const replicas = [...this.#crew.processes]
    const ended = Promise.all(replicas.map((replica) => replica.ended))
    const force = setTimeout(() => {
      for (const replica of replicas) replica.kill()
    }, timeoutMs)
    if (this.#links.size > 0) await Promise.race([this.#emptied.promise, ended])
    for (const replica of replicas) replica.disconnect()
    await ended
    clearTimeout(force)
    for (const link of this.#links.values()) this.#gone(link, { crashed: true, blame: 'none' })
    this.#gate.close()
  }

  #died(replica: ReplicaProcess): void {
    for (const link of replica.links) link.within(lastWordsMs, () => this.#disconnected(link))
    this.#bury(replica)
  }

  #runnerEnded(runner: number, refusal: RunnerRefusal | null): void {
    const link = this.#links.get(runner)
    if (!link) return
    link.ended = true
    if (link.connected) link.within(lastWordsMs, () => this.#disconnected(link))
    else this.#gone(link, { crashed: false, blame: refusal === null ? blameOf([link]) : 'none', refusal })
  }

  /** Tells of the ends of a dead replica's runners, once all that they sent has been read. */
  #bury(replica: ReplicaProcess): void {
    const links = [...replica.links]
    if (links.some((link) => link.connected)) return
    const blame = replica.condemned ? 'none' : blameOf(links)
    for (const link of links) this.#gone(link, { crashed: true, blame })
    this.#crew.fill()
  }

  #gone(
    link: RunnerLink,
    how: { crashed: boolean; blame: EndOfRunner['blame']; refusal?: RunnerRefusal | null },
  ): void {
    const { state: during } = link
    const { crashed, blame, refusal = null } = how
    if (!crashed && during !== 'retiring')
      this.#options.log.error('A runner ended by itself', { ...factsOf(link), during, refusal })
    link.state = 'gone'
    link.inTime()
    link.replica.links.delete(link)
    this.#links.delete(link.id)
    const hearer = this.#hearers.get(link)
    this.#hearers.delete(link)
    hearer?.ended(link, { during, crashed, blame, refusal })
    this.#crew.settle(link.replica)
    if (this.#closing && this.#links.size === 0) this.#emptied.resolve()
  }

  /** The thread ends next, or has ended; without a connection it is of no use. */
  #disconnected(link: RunnerLink): void {
    link.disconnect()
    if (link.replica.dead) this.#bury(link.replica)
    else if (link.ended) this.#gone(link, { crashed: false, blame: blameOf([link]) })
    else if (!link.terminated)
      link.within(terminationMs, () => this.terminate(link, 'it has lost its connection'))
  }
}

function toHeldPart({ function: name, asked, model }: ModelPart): HeldPart {
  return { function: name, asked, key: model.key, model: model.info }
}

function factsOf({ deployment, model, replica }: RunnerLink): Readonly<Record<string, unknown>> {
  return { function: deployment.name, model: model?.key, replica: replica.number }
}

/** What runners that ended together say of what they had in hand. */
function blameOf(links: readonly RunnerLink[]): EndOfRunner['blame'] {
  if (links.some((link) => link.terminated)) return 'none'
  return links.reduce((sum, link) => sum + link.activities, 0) === 1 ? 'sole' : 'shared'
}
