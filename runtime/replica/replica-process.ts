import { fileURLToPath } from 'node:url'
import type { Subprocess } from 'bun'
import type { ReplicaCommand, ReplicaReport, RunnerOrder } from './message.ts'
import type { RunnerLink } from './runner-link.ts'

/** What a replica's owner wants to hear of it. */
export interface ReplicaEvents {
  ready(): void
  /** A runner's thread has ended. */
  runnerEnded(runner: number): void
  /** The process has ended, and every runner with it. */
  died(how: string): void
}

/** How replicas are started. */
export interface ReplicaOptions {
  /** The file that the process runs. @default the replica's entry */
  readonly entryPath?: string
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
  /** How long it may take until it takes orders, before it is ended. @default 30000 */
  readonly startTimeoutMs?: number
}

/** Bun is to read no `.env`, which may hold the server's secrets, and to fetch no package that is missing. */
const flags = ['--no-env-file', '--no-install']
/** How much a replica yields to the gateway, as `nice` counts; where there is no `nice`, it does not. */
const niceness = 5
const nice = Bun.which('nice')
const errorOutput = 2
const ownEntryPath = fileURLToPath(new URL('../entry/replica.ts', import.meta.url))

/** A replica's process as its gateway holds it. */
export class ReplicaProcess {
  /** Its number, from 0; a replacement keeps the number of the one it replaces. */
  readonly number: number
  readonly links = new Set<RunnerLink>()
  readonly startedMs: number = performance.now()
  /** Set while one request has it to itself: nothing else is sent to it, and nothing is loaded. */
  reserved = false
  readonly #child: Subprocess
  readonly #startTimer: Timer
  #ready = false
  #dead = false

  /** @throws {Error} where the system has no room for another process. */
  constructor(number: number, options: ReplicaOptions, events: ReplicaEvents) {
    this.number = number
    const { environment, startTimeoutMs = 30_000, entryPath = ownEntryPath } = options
    const prefix = nice === null ? [] : [nice, '-n', String(niceness)]
    const command = [process.execPath, ...flags, entryPath, String(process.pid)]
    this.#child = Bun.spawn([...prefix, ...command], {
      env: environment,
      // What functions print goes where the log goes: the gateway's own output may be read by a program.
      stdio: ['ignore', errorOutput, errorOutput],
      serialization: 'json',
      ipc: (message: ReplicaReport) => {
        if (message.kind === 'ended') events.runnerEnded(message.runner)
        else {
          clearTimeout(this.#startTimer)
          this.#ready = true
          events.ready()
        }
      },
      onExit: (_, code, signal) => {
        clearTimeout(this.#startTimer)
        this.#dead = true
        events.died(signal === null ? `exit code ${code}` : `signal ${signal}`)
      },
    })
    this.#startTimer = setTimeout(() => this.kill(), startTimeoutMs).unref()
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid
  }

  /** Whether it takes orders. */
  get ready(): boolean {
    return this.#ready && !this.#dead
  }

  /** Whether the process has ended. */
  get dead(): boolean {
    return this.#dead
  }

  /** What goes on in it that may be the reason of its death: see {@link RunnerLink.activities}. */
  get activities(): number {
    let sum = 0
    for (const link of this.links) sum += link.activities
    return sum
  }

  /** Resolves when the process has ended. */
  get ended(): Promise<unknown> {
    return this.#child.exited
  }

  /** Starts a runner's thread. */
  start(order: RunnerOrder): void {
    this.#command({ kind: 'start', order })
  }

  /** Ends a runner's thread, whatever it does. */
  terminate(runner: number): void {
    this.#command({ kind: 'terminate', runner })
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Lets the process end by itself: it does so when its channel closes. */
  disconnect(): void {
    if (!this.#dead) this.#child.disconnect()
  }

  #command(command: ReplicaCommand): void {
    try {
      this.#child.send(command)
    } catch {
      // It has ended: `died` says, or has said, what becomes of its runners.
    }
  }
}
