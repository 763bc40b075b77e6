import { join } from 'node:path'
import type { Socket, UnixSocketListener } from 'bun'
import type { FunctionLog } from '../define/context.ts'
import { FrameConnection } from './connection.ts'
import { decodeJson, type Frame, frameKinds } from './frame.ts'
import type { RunnerOrder } from './message.ts'
import type { RequestQueue } from './queue.ts'
import { ReplicaProcess } from './replica-process.ts'
import { RunnerLink, type RunnerState } from './runner-link.ts'

/** What the pool's owner wants to hear. */
export interface PoolEvents {
  /** A replica takes orders. */
  replicaReady(): void
  /** A frame of a runner, other than its greeting. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner has ended; every frame that it sent has been told before. */
  ended(link: RunnerLink, how: EndOfRunner): void
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
}

/** How a pool is set up. */
export interface PoolOptions {
  /** How many replicas are kept. */
  readonly replicas: number
  /** A folder of this gateway alone, open to its user only, for the socket. */
  readonly runDirectory: string
  /** All of the environment that replicas get. */
  readonly environment: Readonly<Record<string, string>>
  readonly session: RunnerOrder['session']
  readonly inputHosts: RunnerOrder['inputHosts']
  readonly logLevel: RunnerOrder['logLevel']
  readonly log: FunctionLog
  /** Another entry file for replicas. @default the one of isoplex */
  readonly replicaEntryPath?: string
}

/** A replica that lived shorter than this died of its start. */
const shortLifeMs = 5_000
/** How long the replacement of one that died of its start waits: doubled each time, up to the longest. */
const firstPauseMs = 100
const longestPauseMs = 2_000
/** How long a runner may take to end after it was told to, before its process is ended instead. */
const terminationMs = 2_000
/** How long the connection of a runner that has ended is read: a process of its own making may keep it open. */
const lastWordsMs = 1_000

/** Keeps a number of replicas alive, and knows every runner in them. */
export class ReplicaPool {
  readonly #options: PoolOptions
  readonly #events: PoolEvents
  readonly #replicas = new Map<number, ReplicaProcess>()
  readonly #links = new Map<number, RunnerLink>()
  readonly #socketPath: string
  readonly #listener: UnixSocketListener<ConnectionState>
  #nextRunner = 1
  #shortLives = 0
  #closing = false
  readonly #emptied = Promise.withResolvers<void>()

  constructor(options: PoolOptions, events: PoolEvents) {
    this.#options = options
    this.#events = events
    this.#socketPath = join(options.runDirectory, 'gateway.sock')
    this.#listener = this.#listen()
    for (let number = 0; number < options.replicas; number += 1) this.#spawn(number)
  }

  /** The replicas that take orders. */
  get replicas(): readonly ReplicaProcess[] {
    return [...this.#replicas.values()].filter((replica) => replica.ready)
  }

  /** How many replicas are kept, ready or not. */
  get size(): number {
    return this.#options.replicas
  }

  /** Every runner that has not ended. */
  get links(): Iterable<RunnerLink> {
    return this.#links.values()
  }

  /** Starts a runner for a queue in a replica. */
  start(replica: ReplicaProcess, queue: RequestQueue): RunnerLink {
    const link = new RunnerLink(this.#nextRunner++, queue, replica)
    const { name, bundlePath, concurrency } = queue.deployment
    const { session, inputHosts, logLevel } = this.#options
    this.#links.set(link.id, link)
    replica.links.add(link)
    replica.start({
      runner: link.id,
      socketPath: this.#socketPath,
      nonce: link.nonce,
      name,
      bundlePath,
      concurrency,
      model: queue.model?.info ?? null,
      session,
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
    const replicas = [...this.#replicas.values()]
    const ended = Promise.all(replicas.map((replica) => replica.ended))
    const force = setTimeout(() => {
      for (const replica of replicas) replica.kill()
    }, timeoutMs)
    if (this.#links.size > 0) await Promise.race([this.#emptied.promise, ended])
    for (const replica of replicas) replica.disconnect()
    await ended
    clearTimeout(force)
    for (const link of this.#links.values()) this.#gone(link, true, 'none')
    this.#listener.stop(true)
  }

  #spawn(number: number): void {
    if (this.#closing) return
    const { environment, replicaEntryPath: entryPath, log } = this.#options
    const startedMs = performance.now()
    try {
      const replica: ReplicaProcess = new ReplicaProcess(
        number,
        entryPath === undefined ? { environment } : { environment, entryPath },
        {
          ready: () => {
            if (!this.#closing) this.#events.replicaReady()
          },
          runnerEnded: (runner) => this.#runnerEnded(runner),
          died: (how) => this.#died(replica, how),
        },
      )
      this.#replicas.set(number, replica)
    } catch (error) {
      log.error('A replica cannot be started; it is tried again', { replica: number, error })
      this.#replace(number, startedMs)
    }
  }

  #died(replica: ReplicaProcess, how: string): void {
    this.#replicas.delete(replica.number)
    if (!this.#closing) {
      this.#options.log.error('A replica died and is replaced', { replica: replica.number, how })
      this.#replace(replica.number, replica.startedMs)
    }
    for (const link of replica.links) link.within(lastWordsMs, () => this.#disconnected(link))
    this.#bury(replica)
  }

  #replace(number: number, startedMs: number): void {
    this.#shortLives = performance.now() - startedMs < shortLifeMs ? this.#shortLives + 1 : 0
    const pauseMs =
      this.#shortLives <= 1 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#shortLives - 2))
    setTimeout(() => this.#spawn(number), pauseMs).unref()
  }

  #runnerEnded(runner: number): void {
    const link = this.#links.get(runner)
    if (!link) return
    link.ended = true
    if (link.connected) link.within(lastWordsMs, () => this.#disconnected(link))
    else this.#gone(link, false, blameOf([link]))
  }

  /** Tells of the ends of a dead replica's runners, once all that they sent has been read. */
  #bury(replica: ReplicaProcess): void {
    const links = [...replica.links]
    if (links.some((link) => link.connected)) return
    const blame = blameOf(links)
    for (const link of links) this.#gone(link, true, blame)
  }

  #gone(link: RunnerLink, crashed: boolean, blame: EndOfRunner['blame']): void {
    const { state: during } = link
    if (!crashed && during !== 'retiring')
      this.#options.log.error('A runner ended by itself', { ...factsOf(link), during })
    link.state = 'gone'
    link.inTime()
    link.replica.links.delete(link)
    this.#links.delete(link.id)
    this.#events.ended(link, { during, crashed, blame })
    if (this.#closing && this.#links.size === 0) this.#emptied.resolve()
  }

  #listen(): UnixSocketListener<ConnectionState> {
    return Bun.listen<ConnectionState>({
      unix: this.#socketPath,
      socket: {
        open: (socket) => {
          socket.data = { connection: new FrameConnection(socket), link: null }
        },
        data: (socket, bytes) => this.#received(socket, bytes),
        drain: (socket) => socket.data.connection.drained(),
        close: ({ data }) => {
          if (data.link) this.#disconnected(data.link)
        },
        // Bun brings here what the handlers throw: bytes that are no frames of ours.
        error: (socket, error) => {
          this.#options.log.error('What a runner sends cannot be read', { error })
          if (socket.data.link) this.terminate(socket.data.link, 'what it sends cannot be read')
          socket.terminate()
        },
      },
    })
  }

  #received(socket: Socket<ConnectionState>, bytes: Uint8Array): void {
    const { data } = socket
    for (const frame of data.connection.receive(bytes)) {
      if (data.link) this.#events.frame(data.link, frame)
      else this.#greet(socket, frame)
    }
  }

  /** A connection belongs to the runner that it names, if it knows that runner's word. */
  #greet(socket: Socket<ConnectionState>, frame: Frame): void {
    const greeting = decodeJson<{ readonly runner: number; readonly nonce: string }>(frame.payload)
    const link = this.#links.get(greeting.runner)
    if (frame.kind !== frameKinds.hello || !link || link.nonce !== greeting.nonce || link.connected) {
      socket.terminate()
      return
    }
    socket.data.link = link
    link.connect(socket.data.connection)
  }

  /** The thread ends next, or has ended; without a connection it is of no use. */
  #disconnected(link: RunnerLink): void {
    link.disconnect()
    if (link.replica.dead) this.#bury(link.replica)
    else if (link.ended) this.#gone(link, false, blameOf([link]))
    else if (!link.terminated)
      link.within(terminationMs, () => this.terminate(link, 'it has lost its connection'))
  }
}

interface ConnectionState {
  readonly connection: FrameConnection
  link: RunnerLink | null
}

function factsOf({ deployment, model, replica }: RunnerLink): Readonly<Record<string, unknown>> {
  return { function: deployment.name, model: model?.key, replica: replica.number }
}

/** What runners that ended together say of what they had in hand. */
function blameOf(links: readonly RunnerLink[]): EndOfRunner['blame'] {
  if (links.some((link) => link.terminated)) return 'none'
  return links.reduce((sum, link) => sum + link.activities, 0) === 1 ? 'sole' : 'shared'
}
