import { fileURLToPath } from 'node:url'
import { ChildProcess } from '../process/child-process.ts'
import {
  modelsExpected,
  type ReplicaCommand,
  type ReplicaHealth,
  type ReplicaReport,
  type RunnerOrder,
  type RunnerRefusal,
} from './message.ts'
import type { ChannelEvents, ChannelOpener, ReplicaChannel } from './replica-channel.ts'
import type { RunnerLink } from './runner-link.ts'

/** What a replica's owner wants to hear of it. */
export interface ReplicaEvents {
  ready(): void
  /** It has said how it is: see {@link ReplicaProcess.health}. */
  reported(): void
  /** A runner's thread has ended; `refusal` says why there never was one, `null` where there was. */
  runnerEnded(runner: number, refusal: RunnerRefusal | null): void
  /** The process has ended, and every runner with it. */
  died(how: string): void
}

/**
 * What a replica is there for: `starting` (it comes up to serve), `serving`, `leaving` (another has its place, and it
 * ends with its last runner), `spare` (it waits to take another's place), `isolated` (it tries what may end it).
 */
export type ReplicaState = 'starting' | 'serving' | 'leaving' | 'spare' | 'isolated'

/** How replicas are started. */
export interface ReplicaOptions {
  /** What it is started as. @default 'starting' */
  readonly state?: ReplicaState
  /** The file that the process runs. @default the replica's entry */
  readonly entryPath?: string
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
  /** Whether its runners are likely to load models, so that it may get ready for that. @default false */
  readonly expectsModels?: boolean
  /** How long it may take until it takes orders, before it is ended. @default 30000 */
  readonly startTimeoutMs?: number
  /** Who starts the process, where that is not to be a child of this one. */
  readonly opener?: ChannelOpener
}

const ownEntryPath = fileURLToPath(new URL('../entry/replica.ts', import.meta.url))

/** Starts the process of a replica as a child of this one. @throws {Error} where the system has no room for another. */
export function startReplica(
  { entryPath = ownEntryPath, environment, expectsModels = false }: ReplicaOptions,
  { received, ended }: ChannelEvents,
): ChildProcess<ReplicaCommand, ReplicaReport> {
  const facts = expectsModels ? [modelsExpected] : []
  return new ChildProcess({ entryPath, facts, environment, received, ended })
}

/** A replica's process as its gateway holds it, with the processes that its functions start. */
export class ReplicaProcess {
  /** Its number, from 0; who takes another's place takes its number. */
  number: number
  readonly links = new Set<RunnerLink>()
  readonly startedMs: number = performance.now()
  /** How it is, as it last said; zeros before it has. */
  health: ReplicaHealth = Object.freeze({ residentSetBytes: 0, eventLoopLagMs: 0 })
  /** Looks at it in a row that found no word of it since the one before. */
  silence = 0
  /** Whether the gateway has ended it by force, so that nothing that went on in it is the reason. */
  condemned = false
  readonly #channel: ReplicaChannel
  readonly #startTimer: Timer
  #state: ReplicaState
  #sinceMs = this.startedMs
  #loads = 0
  #ready = false
  #released = false

  /** @throws {Error} where the system has no room for another process. */
  constructor(number: number, options: ReplicaOptions, events: ReplicaEvents) {
    this.number = number
    const { state = 'starting', expectsModels = false, startTimeoutMs = 30_000 } = options
    const { opener = (wish: ChannelEvents) => startReplica(options, wish) } = options
    this.#state = state
    this.#channel = opener({
      expectsModels,
      received: (report) => this.#receive(report, events),
      ended: (how) => {
        clearTimeout(this.#startTimer)
        events.died(how)
      },
    })
    this.#startTimer = setTimeout(() => this.kill(), startTimeoutMs).unref()
  }

  /** Its process id. */
  get pid(): number {
    return this.#channel.pid
  }

  /** The name of the node that it runs on; `null` on this machine. */
  get node(): string | null {
    return this.#channel.node ?? null
  }

  /** What it is there for. */
  get state(): ReplicaState {
    return this.#state
  }

  /** Since when it is of use as what it is there for, or has been started to be, in milliseconds. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Runners started in it. */
  get loads(): number {
    return this.#loads
  }

  /** Whether it takes orders. */
  get ready(): boolean {
    return this.#ready && !this.dead
  }

  /** Whether it has ever taken orders. */
  get cameUp(): boolean {
    return this.#ready
  }

  /** Whether the process has ended. */
  get dead(): boolean {
    return this.#channel.dead
  }

  /** Whether it was let go, so that its end is no death. */
  get released(): boolean {
    return this.#released
  }

  /** What goes on in it that may be the reason of its death: see {@link RunnerLink.activities}. */
  get activities(): number {
    let sum = 0
    for (const link of this.links) sum += link.activities
    return sum
  }

  /** Resolves when the process has ended and that has been told. */
  get ended(): Promise<void> {
    return this.#channel.ended
  }

  /** Makes it be there for something else. */
  enter(state: ReplicaState): void {
    this.#state = state
    this.#sinceMs = performance.now()
  }

  /** What a runner in it proves itself with that was ordered with this nonce. */
  wordOf(nonce: string): string {
    return this.#channel.wordOf?.(nonce) ?? nonce
  }

  /** Starts a runner's thread. */
  start(order: RunnerOrder): void {
    this.#loads += 1
    this.#channel.send({ kind: 'start', order })
  }

  /** Ends a runner's thread, whatever it does. */
  terminate(runner: number): void {
    this.#channel.send({ kind: 'terminate', runner })
  }

  /** Ends the process at once, and what its functions have started. */
  kill(): void {
    this.#channel.kill()
  }

  /** Lets the process end by itself: it does so when its channel closes. */
  disconnect(): void {
    if (this.dead || this.#released) return
    this.#released = true
    this.#channel.disconnect()
  }

  #receive(report: ReplicaReport, events: ReplicaEvents): void {
    this.silence = 0
    if (report.kind === 'ended') events.runnerEnded(report.runner, report.refusal)
    else if (report.kind === 'health') {
      this.health = report.health
      events.reported()
    } else {
      clearTimeout(this.#startTimer)
      this.#ready = true
      events.ready()
    }
  }
}
