import { rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { CredentialSeals } from '../../auth/sealed-credential.ts'
import type { Config } from '../../config/config.ts'
import { isIsoplexError } from '../../error/error.ts'
import type { Logger } from '../../observe/log.ts'
import type { ActionOrder } from '../message.ts'
import type { JobStore, TakenJob } from '../store.ts'
import type { DeploymentDesk } from './deployment-desk.ts'
import type { JobModels } from './job-models.ts'
import { JobRun } from './job-run.ts'
import { makeWorkFolder } from './work-folder.ts'

/** An action whose jobs can run here. */
export interface ActionHere {
  readonly name: string
  /** The absolute path of its bundle. */
  readonly bundlePath: string
  /** How long one of its jobs may take in all, in milliseconds; `null` leaves it to the configuration. */
  readonly timeoutMs: number | null
  /** The models that it may use without a token. */
  readonly models: readonly string[]
}

/** What of the configuration bounds jobs. */
export type CrewLimits = Pick<
  Config,
  | 'maxConcurrentJobs'
  | 'jobTimeoutMs'
  | 'jobCancelGraceMs'
  | 'jobRollbackTimeoutMs'
  | 'jobLeaseMs'
  | 'maxJobAttempts'
>

/** What the processes of all jobs are told alike. */
export type OrderDefaults = Pick<
  ActionOrder,
  'session' | 'inputHosts' | 'maxJobBytes' | 'strict' | 'logLevel'
>

/** What a crew works with. */
export interface CrewOptions extends OrderDefaults {
  readonly store: JobStore
  readonly models: JobModels
  readonly deployments: DeploymentDesk
  readonly seals: CredentialSeals
  readonly limits: CrewLimits
  /** All of the environment that the processes of jobs get. */
  readonly environment: Readonly<Record<string, string>>
  /** A folder in which its jobs have their scratch files; several processes may share it. */
  readonly workDirectory: string
  /** Told that something of a job was written. */
  readonly changed: (jobId: string) => void
  readonly log: Logger
}

/** How often it looks for jobs of other servers, and for those whose server has died. */
const lookMs = 1_000

/**
 * Takes jobs from the store while it has free places, and runs each in a process of its own. It belongs on the main
 * thread, with which its processes end.
 */
export class Crew {
  readonly #options: CrewOptions
  readonly #worker = `${hostname()}:${process.pid}`
  readonly #running = new Map<string, JobRun>()
  readonly #looking: Timer
  /** This process's own part of the folder for scratch files. */
  #workFolder: string | null = null
  #actions: ReadonlyMap<string, ActionHere> = new Map()
  #taking: Promise<void> | null = null
  #again = false
  /** Whose job was taken last. */
  #served: string | null = null
  #stopping = false
  /** Whether it was said that the store cannot be had. */
  #complained = false

  /** Makes a crew that takes nothing yet: see {@link follow}. */
  constructor(options: CrewOptions) {
    this.#options = options
    this.#looking = setInterval(() => this.wake(), lookMs)
  }

  /** The digests of the models that jobs use. */
  get digests(): readonly string[] {
    return [...this.#running.values()].flatMap(({ digests }) => [...digests])
  }

  /** Takes jobs of these actions from now on, and of no others; those that run go on with the code that they have. */
  follow(actions: Iterable<ActionHere>): void {
    this.#actions = new Map(Array.from(actions, (action) => [action.name, action]))
    this.wake()
  }

  /** Looks for jobs at once. */
  wake(): void {
    if (this.#taking !== null) this.#again = true
    else if (!this.#stopping) this.#taking = this.#fill()
  }

  /** Tells a job that runs here that it is to end. */
  cancel(jobId: string): void {
    this.#running.get(jobId)?.cancel()
  }

  /**
   * Takes no more, ends all processes and gives their jobs back without blame, to go on at the next start or on another
   * server.
   */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#looking)
    await this.#taking
    await Promise.all(Array.from(this.#running.values(), (run) => run.stop()))
    if (this.#workFolder === null) return
    await rm(this.#workFolder, { recursive: true, force: true }).catch(() => undefined)
  }

  async #fill(): Promise<void> {
    try {
      do {
        this.#again = false
        while (await this.#takeOne()) this.#complained = false
      } while (this.#again)
    } catch (error) {
      this.#complain(error)
    } finally {
      this.#taking = null
    }
  }

  async #takeOne(): Promise<boolean> {
    const { store, limits, workDirectory } = this.#options
    const functions = [...this.#actions.keys()]
    if (this.#stopping || functions.length === 0 || this.#running.size >= limits.maxConcurrentJobs)
      return false
    this.#workFolder ??= await makeWorkFolder(workDirectory)
    const taken = await store.take({
      worker: this.#worker,
      functions,
      leaseMs: limits.jobLeaseMs,
      // While the store was away their leases may have ended: they go on all the same.
      except: [...this.#running.keys()],
      ...(this.#served === null ? {} : { after: this.#served }),
    })
    if (taken === null) return false
    this.#served = taken.job.principal
    const action = this.#actions.get(taken.job.function)
    // The files may have changed meanwhile, or the server be about to stop.
    if (this.#stopping || action === undefined) await store.release(taken.lease, { blameless: true })
    else this.#begin(taken, action, this.#workFolder)
    return true
  }

  #begin(taken: TakenJob, action: ActionHere, workDirectory: string): void {
    const run = new JobRun({ ...this.#options, taken, action, workDirectory })
    const { id } = taken.job
    this.#running.set(id, run)
    this.#options.changed(id)
    void run.done.then(() => {
      this.#running.delete(id)
      this.#options.changed(id)
      this.wake()
    })
  }

  #complain(error: unknown): void {
    if (this.#complained || this.#stopping) return
    this.#complained = true
    const { log } = this.#options
    const away = isIsoplexError(error) && error.code === 'JOB_STORE_UNAVAILABLE'
    if (away) log.warn('No jobs are taken until their store can be had', { error })
    else log.error('No job could be taken', { error })
  }
}
