import type { Subprocess } from 'bun'
import { IsoplexError } from '../error/error.ts'
import type { BuildDirectories, SourceHashes } from './bundle.ts'
import type { FunctionOutcome } from './function-build.ts'
import type { BuildOrder, BuildReport } from './message.ts'
import { type Mistake, placeOf, toMistake } from './mistake.ts'

/** How build processes are started. */
export interface BuildProcessOptions {
  readonly directories: BuildDirectories
  /** The file that the process runs. */
  readonly entryPath: string
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
  /** How long the import of one function file may take, in milliseconds. */
  readonly importTimeoutMs: number
  /** The file descriptor that takes what functions print while they are imported. */
  readonly outputDescriptor: number
}

/** What comes of one order: the outcome; or `ended`, where the process did not survive it. */
export type Attempt = (FunctionOutcome | { readonly kind: 'ended'; readonly mistake: Mistake }) & {
  /** The sources as they were found; `null` where the process did not get that far. */
  readonly sources: SourceHashes | null
}

const startTimeoutMs = 30_000

/** One build process, as its parent holds it. It is given one order at a time and is then ended by `end`. */
export class BuildProcess {
  readonly #options: BuildProcessOptions
  readonly #child: Subprocess
  readonly #ready: Promise<unknown>
  readonly #ended: Promise<null>
  #listener: (report: BuildReport) => void = () => undefined
  #orders = 0

  constructor(options: BuildProcessOptions) {
    const { directories, entryPath, environment, outputDescriptor } = options
    const { projectDirectory, functionsDirectory, bundlesDirectory } = directories
    this.#options = options
    const ready = Promise.withResolvers<void>()
    // Neither keys from the project's .env file nor packages from a registry may slip in.
    const flags = ['--no-env-file', '--no-install']
    const folders = [projectDirectory, functionsDirectory, bundlesDirectory]
    this.#child = Bun.spawn([process.execPath, ...flags, entryPath, String(process.pid), ...folders], {
      cwd: projectDirectory,
      env: environment,
      stdio: ['ignore', outputDescriptor, outputDescriptor],
      serialization: 'json',
      ipc: (report: BuildReport) => (report.kind === 'ready' ? ready.resolve() : this.#listener(report)),
    })
    this.#ready = ready.promise
    this.#ended = this.#child.exited.then(() => null)
  }

  /** How many orders it was given. Whatever happens in the first is that file's own doing. */
  get orders(): number {
    return this.#orders
  }

  /**
   * Builds one function file.
   *
   * @throws {IsoplexError} `BUILD_FAILED` where the process does not start.
   */
  async attempt(order: BuildOrder): Promise<Attempt> {
    if (!(await this.#within(this.#ready, startTimeoutMs))) throw this.#failedStart(order.file)
    this.#orders += 1
    let sources: SourceHashes | null = null
    let mistake: Mistake | null = null
    const outcome = new Promise<FunctionOutcome>((resolve) => {
      this.#listener = (report) => {
        if (report.kind === 'bundled') sources = report.sources
        else if (report.kind === 'crashed') mistake = report.mistake
        else if (report.kind !== 'ready') resolve(report)
      }
    })
    this.#send(order)
    const settled = await this.#within(outcome, this.#options.importTimeoutMs)
    if (settled) return { ...settled.value, sources }
    const reason = mistake ?? toMistake(placeOf(order.file), this.#reasonOfEnd())
    await this.end()
    return { kind: 'ended', mistake: reason, sources }
  }

  /** Ends the process, whatever it does, and waits until it has gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** What a promise gives; `null` where the process ends or the time is up before. */
  async #within<Value>(promise: Promise<Value>, timeoutMs: number): Promise<{ value: Value } | null> {
    const timer = Promise.withResolvers<null>()
    const timeout = setTimeout(() => timer.resolve(null), timeoutMs)
    const result = await Promise.race([promise.then((value) => ({ value })), this.#ended, timer.promise])
    clearTimeout(timeout)
    return result
  }

  #send(order: BuildOrder): void {
    try {
      this.#child.send(order)
    } catch {
      // It has ended meanwhile, which `exited` tells.
    }
  }

  #reasonOfEnd(): string {
    const { exitCode, signalCode } = this.#child
    if (signalCode !== null) return `It ends the process that imports it (${signalCode}).`
    if (exitCode !== null) return `It ends the process that imports it (exit code ${exitCode}).`
    const { importTimeoutMs } = this.#options
    return `Its import did not end within ${importTimeoutMs} ms: it loops, or waits at its top level.`
  }

  #failedStart(file: string): IsoplexError<'BUILD_FAILED'> {
    const { exitCode, signalCode } = this.#child
    const how =
      exitCode === null && signalCode === null ? 'took too long' : `ended (${signalCode ?? exitCode})`
    const message = `The build process ${how} before it was ready; its output says why.`
    return new IsoplexError('BUILD_FAILED', message, { details: { file, line: null } })
  }
}
