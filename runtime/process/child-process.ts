import type { Subprocess } from 'bun'

/** How a process that runs user code is started. */
export interface ChildProcessOptions<Report> {
  /** The file that it runs. */
  readonly entryPath: string
  /** What it is told at its start, after the id of this process. */
  readonly facts?: readonly string[]
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
  /** Told of each message that it sends. */
  readonly received: (report: Report) => void
  /** Told once that it has ended, and how: `exit code 1`, `signal SIGKILL`. */
  readonly ended: (how: string) => void
}

/** Bun is to read no `.env`, which may hold the server's secrets, and to fetch no package that is missing. */
const flags = ['--no-env-file', '--no-install']
/** How much it yields to this process, as `nice` counts; where there is no `nice`, it does not. */
const niceness = 5
const nice = Bun.which('nice')
const errorOutput = 2

/**
 * A process that runs user code, as its parent holds it, with the processes that the code starts. It gets an environment
 * of its own, yields to its parent, and is spoken with in JSON. Start it from a thread that lives as long as the
 * parent: where the entry asks for that, the system ends it with that thread.
 */
export class ChildProcess<Command, Report> {
  readonly #child: Subprocess
  readonly #ended = Promise.withResolvers<void>()
  #dead = false

  /** @throws {Error} where the system has no room for another process. */
  constructor({ entryPath, facts = [], environment, received, ended }: ChildProcessOptions<Report>) {
    const prefix = nice === null ? [] : [nice, '-n', String(niceness)]
    const command = [process.execPath, ...flags, entryPath, String(process.pid), ...facts]
    this.#child = Bun.spawn([...prefix, ...command], {
      env: environment,
      // What functions print goes where the log goes: this process's own output may be read by a program.
      stdio: ['ignore', errorOutput, errorOutput],
      serialization: 'json',
      ipc: (report: Report) => received(report),
      onExit: (_, code, signal) => {
        this.#dead = true
        this.#endGroup()
        ended(signal === null ? `exit code ${code}` : `signal ${signal}`)
        this.#ended.resolve()
      },
    })
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid
  }

  /** Whether the process has ended. */
  get dead(): boolean {
    return this.#dead
  }

  /** Resolves when the process has ended and that has been told. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Tells it something; the dead hear nothing. */
  send(command: Command): void {
    try {
      this.#child.send(command)
    } catch {
      // It has ended: `ended` says so, or has said it.
    }
  }

  /** Ends the process at once, and what was started in it. */
  kill(): void {
    if (this.#dead) return
    this.#endGroup()
    this.#child.kill('SIGKILL')
  }

  /** Closes its channel, so that it ends by itself. */
  disconnect(): void {
    if (!this.#dead) this.#child.disconnect()
  }

  /** It leads a group of its own as soon as it runs: what was started in it, and has not left the group, ends with it. */
  #endGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // It leads none, or nobody is left in it.
    }
  }
}
