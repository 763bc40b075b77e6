import type { Subprocess } from 'bun'
import { IsoplexError } from '../error/error.ts'
import type { BuildDirectories, BuildMode, SourceHashes } from './bundle.ts'
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
  /** How bundles for browsers are made. */
  readonly mode: BuildMode
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
  readonly #ready: Promise<void>
  readonly #ended: Promise<void>
  #listener: (report: BuildReport) => void = () => undefined
  #started = false
  #orders = 0

  constructor(options: BuildProcessOptions) {
    const { directories, entryPath, environment, mode, outputDescriptor } = options
    const { projectDirectory, functionsDirectory, bundlesDirectory } = directories
    this.#options = options
    const ready = Promise.withResolvers<void>()
    // Neither keys from the project's .env file nor packages from a registry may slip in.
    const flags = ['--no-env-file', '--no-install']
    const facts = [String(process.pid), mode, projectDirectory, functionsDirectory, bundlesDirectory]
    this.#child = Bun.spawn([process.execPath, ...flags, entryPath, ...facts], {
      cwd: projectDirectory,
      env: environment,
      stdio: ['ignore', outputDescriptor, outputDescriptor],
      serialization: 'json',
      ipc: (report: BuildReport) => {
        if (report.kind !== 'ready') return this.#listener(report)
        this.#started = true
        ready.resolve()
      },
    })
    this.#ready = ready.promise
    this.#ended = this.#child.exited.then(() => undefined)
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
    await this.#start(order.file)
    this.#orders += 1
    let sources: SourceHashes | null = null
    let mistake: Mistake | null = null
    let outcome: FunctionOutcome | null = null
    const settled = new Promise<void>((resolve) => {
      this.#listener = (report) => {
        if (report.kind === 'bundled') sources = report.sources
        else if (report.kind === 'crashed') mistake = report.mistake
        else if (report.kind !== 'ready') {
          outcome = report
          resolve()
        }
      }
    })
    this.#send(order)
    await this.#firstOf(settled, this.#options.importTimeoutMs)
    const attempt = outcome as FunctionOutcome | null
    if (attempt !== null) return { ...attempt, sources }
    const reason = mistake ?? toMistake(placeOf(order.file), this.#reasonOfEnd())
    await this.end()
    return { kind: 'ended', mistake: reason, sources }
  }

  /** Ends the process, whatever it does, and waits until it has gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  async #start(file: string): Promise<void> {
    if (!this.#started) await this.#firstOf(this.#ready, startTimeoutMs)
    if (!this.#started) throw this.#failedStart(file)
  }

  /** Waits for a promise, but no longer than the process lives and the time lasts. */
  async #firstOf(promise: Promise<void>, timeoutMs: number): Promise<void> {
    const time = Promise.withResolvers<void>()
    const timer = setTimeout(time.resolve, timeoutMs)
    await Promise.race([promise, this.#ended, time.promise])
    clearTimeout(timer)
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
