import { fileURLToPath } from 'node:url'
import { toWire, type WireError } from '../../error/wire.ts'
import { ChildProcess } from '../../process/child-process.ts'
import type { ActionCommand, ActionHost, ActionOrder, ActionReport } from '../message.ts'

/** How the process of a job is started. */
export interface ActionProcessOptions {
  readonly order: ActionOrder
  /** Answers what it asks. */
  readonly host: ActionHost
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
  /** How long it may take until it takes its order, before it is ended. @default 30000 */
  readonly startTimeoutMs?: number
  /** The file that the process runs. @default the action's entry */
  readonly entryPath?: string
}

/** How the process of a job has ended. */
export interface ActionExit {
  /** In words, such as `exit code 1` or `signal SIGKILL`. */
  readonly how: string
  /** Whether its host has taken the end of the job from it. */
  readonly finished: boolean
}

const ownEntryPath = fileURLToPath(new URL('../../entry/action.ts', import.meta.url))

/** The process of one job, as its parent holds it, with the processes that the action starts. */
export class ActionProcess {
  readonly #child: ChildProcess<ActionCommand, ActionReport>
  readonly #options: ActionProcessOptions
  readonly #exited = Promise.withResolvers<ActionExit>()
  readonly #startTimer: Timer
  #begun = false
  #finished = false
  #cancelled: WireError | null = null

  /**
   * Starts the process. Do it from a thread that lives as long as this process.
   *
   * @throws {Error} where the system has no room for another process.
   */
  constructor(options: ActionProcessOptions) {
    const { environment, entryPath = ownEntryPath, startTimeoutMs = 30_000 } = options
    this.#options = options
    this.#child = new ChildProcess({
      entryPath,
      environment,
      received: (report) => this.#receive(report),
      ended: (how) => {
        clearTimeout(this.#startTimer)
        this.#exited.resolve({ how, finished: this.#finished })
      },
    })
    this.#startTimer = setTimeout(() => this.kill(), startTimeoutMs)
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid
  }

  /** Resolves once the process has ended. */
  get exited(): Promise<ActionExit> {
    return this.#exited.promise
  }

  /** Tells the action that its job is to end, and why. Whether it listens is its own affair. */
  cancel(reason: WireError): void {
    this.#cancelled = reason
    // What is said to a process that does not listen yet may be lost.
    if (this.#begun) this.#child.send({ kind: 'cancel', reason })
  }

  /** Ends the process at once, and what was started in it. */
  kill(): void {
    this.#child.kill()
  }

  #receive(report: ActionReport): void {
    if (report.kind === 'ask') {
      void this.#answer(report)
      return
    }
    clearTimeout(this.#startTimer)
    this.#begun = true
    this.#child.send({ kind: 'run', order: this.#options.order })
    if (this.#cancelled !== null) this.cancel(this.#cancelled)
  }

  async #answer({ id, question, parameters }: Extract<ActionReport, { kind: 'ask' }>): Promise<void> {
    const { host } = this.#options
    try {
      // The process asks by the names of the host's methods, with their parameters.
      const method = host[question] as (...parameters: readonly unknown[]) => Promise<unknown>
      const value = await method.apply(host, parameters as unknown[])
      if (question === 'finish') this.#finished = true
      this.#child.send({ kind: 'answer', id, value })
    } catch (error) {
      this.#child.send({ kind: 'refuse', id, error: toWire(error) })
    }
  }
}
