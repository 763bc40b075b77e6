import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Socket, UnixSocketListener } from 'bun'
import type { FunctionLog } from '../define/context.ts'
import { FrameConnection } from './connection.ts'
import type { Deployment, ResolvedModel } from './deployment.ts'
import { decodeJson, type Frame, frameKinds } from './frame.ts'
import type { RunnerOrder } from './message.ts'
import { ReplicaProcess } from './replica-process.ts'
import { RunnerLink, type RunnerState } from './runner-link.ts'

/** What the pool's owner wants to hear. */
export interface PoolEvents {
  /** A replica takes orders. */
  replicaReady(): void
  /** A frame of a runner, other than its greeting. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner has ended. */
  ended(link: RunnerLink, how: EndOfRunner): void
}

/** How a runner ended. */
export interface EndOfRunner {
  /** What it was doing. */
  readonly during: RunnerState
  /** Whether its whole process died, and not only its thread. */
  readonly crashed: boolean
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
  readonly logLevel: RunnerOrder['logLevel']
  readonly log: FunctionLog
  /** Another entry file for replicas. @default the one of isoplex */
  readonly replicaEntryPath?: string
}

/** A replica that lived shorter than this died of its start. */
const shortLifeMs = 5_000
/** How long the replacement of one that died of its start waits: doubled each time, up to the longest. */
const firstPauseMs = 100
const longestPauseMs = 5_000
/** How long a runner may take to end after it was told to, before its process is ended instead. */
const terminationMs = 2_000

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
  #emptied: (() => void) | null = null

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

  /** Starts a runner in a replica. */
  start(
    replica: ReplicaProcess,
    deployment: Deployment,
    model: ResolvedModel | null,
    queueKey: string,
  ): RunnerLink {
    const id = this.#nextRunner++
    const nonce = randomUUID()
    const link = new RunnerLink({ id, nonce, deployment, model, replica, queueKey, nowMs: performance.now() })
    this.#links.set(id, link)
    replica.links.add(link)
    replica.start({
      runner: id,
      socketPath: this.#socketPath,
      nonce,
      name: deployment.name,
      bundlePath: deployment.bundlePath,
      concurrency: deployment.concurrency,
      model: model?.info ?? null,
      session: this.#options.session,
      logLevel: this.#options.logLevel,
    })
    return link
  }

  /** Ends a runner's thread, and its process where the thread does not go. */
  terminate(link: RunnerLink, why: string): void {
    const { log } = this.#options
    const facts = {
      function: link.deployment.name,
      model: link.model?.key,
      replica: link.replica.number,
      why,
    }
    log.warn('A runner is ended', facts)
    link.replica.terminate(link.id)
    setTimeout(() => {
      if (link.state === 'gone') return
      log.error('A runner does not end: its replica is ended', facts)
      link.replica.kill()
    }, terminationMs).unref()
  }

  /** Waits until the runners have ended, then ends the replicas; by force after the time given. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true
    const replicas = [...this.#replicas.values()]
    const force = setTimeout(() => {
      for (const replica of replicas) replica.kill()
    }, timeoutMs)
    if (this.#links.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
      })
    }
    for (const replica of replicas) replica.disconnect()
    await Promise.all(replicas.map((replica) => replica.ended))
    clearTimeout(force)
    this.#listener.stop(true)
  }

  #spawn(number: number): void {
    const { environment, replicaEntryPath: entryPath } = this.#options
    const options = entryPath === undefined ? { environment } : { environment, entryPath }
    const replica = new ReplicaProcess(number, performance.now(), options, {
      ready: () => {
        if (!this.#closing) this.#events.replicaReady()
      },
      runnerEnded: (runner) => this.#runnerEnded(runner, false),
      died: (dead, how) => this.#died(dead, how),
    })
    this.#replicas.set(number, replica)
  }

  #died(replica: ReplicaProcess, how: string): void {
    this.#replicas.delete(replica.number)
    if (!this.#closing) {
      this.#options.log.error('A replica died and is replaced', { replica: replica.number, how })
      this.#replace(replica)
    }
    for (const link of [...replica.links]) this.#runnerEnded(link.id, true)
  }

  #replace(replica: ReplicaProcess): void {
    this.#shortLives = performance.now() - replica.startedMs < shortLifeMs ? this.#shortLives + 1 : 0
    if (this.#shortLives <= 1) {
      this.#spawn(replica.number)
      return
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#shortLives - 2))
    setTimeout(() => {
      if (!this.#closing) this.#spawn(replica.number)
    }, pauseMs)
  }

  #runnerEnded(runner: number, crashed: boolean): void {
    const link = this.#links.get(runner)
    if (!link) return
    const during = link.state
    link.state = 'gone'
    this.#links.delete(runner)
    link.replica.links.delete(link)
    this.#events.ended(link, { during, crashed })
    if (this.#links.size === 0) this.#emptied?.()
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
    if (frame.kind !== frameKinds.hello || !link || link.nonce !== greeting.nonce || link.connection) {
      socket.terminate()
      return
    }
    socket.data.link = link
    link.connection = socket.data.connection
  }
}

interface ConnectionState {
  readonly connection: FrameConnection
  link: RunnerLink | null
}
