import { fileURLToPath } from 'node:url'
import type { Subprocess } from 'bun'
import type { ReplicaCommand, ReplicaReport, RunnerOrder } from './message.ts'
import type { RunnerLink } from './runner-link.ts'

/** What a replica's owner wants to hear of it. */
export interface ReplicaEvents {
  ready(replica: ReplicaProcess): void
  /** A runner's thread has ended. */
  runnerEnded(runner: number): void
  /** The process has ended, and every runner with it. */
  died(replica: ReplicaProcess, how: string): void
}

/** How replicas are started. */
export interface ReplicaOptions {
  /** The file that the process runs. @default the replica's entry */
  readonly entryPath?: string
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
}

/** Bun is to read no `.env`, which may hold the server's secrets, and to fetch no package that is missing. */
const flags = ['--no-env-file', '--no-install']
/** How much a replica yields to the gateway, as `nice` counts. */
const niceness = 5

/** A replica's process as its gateway holds it. */
export class ReplicaProcess {
  /** Its number, from 0; a replacement keeps the number of the one it replaces. */
  readonly number: number
  readonly links = new Set<RunnerLink>()
  readonly startedMs: number
  readonly #child: Subprocess
  #ready = false
  #dead = false

  constructor(number: number, startedMs: number, options: ReplicaOptions, events: ReplicaEvents) {
    this.number = number
    this.startedMs = startedMs
    const entryPath = options.entryPath ?? fileURLToPath(new URL('../entry/replica.ts', import.meta.url))
    const nice = process.platform === 'win32' ? [] : ['nice', '-n', String(niceness)]
    this.#child = Bun.spawn([...nice, process.execPath, ...flags, entryPath, String(process.pid)], {
      env: options.environment,
      stdio: ['ignore', 'inherit', 'inherit'],
      serialization: 'json',
      ipc: (message: ReplicaReport) => {
        if (message.kind === 'ready') {
          this.#ready = true
          events.ready(this)
        } else {
          events.runnerEnded(message.runner)
        }
      },
      onExit: (_, code, signal) => {
        this.#dead = true
        events.died(this, signal === null ? `exit code ${code}` : `signal ${signal}`)
      },
    })
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid
  }

  /** Whether it takes orders. */
  get ready(): boolean {
    return this.#ready && !this.#dead
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
    if (this.#dead) return
    try {
      this.#child.send(command)
    } catch {
      // It has ended and its exit is still to be told: `died` says what becomes of its runners.
    }
  }
}
