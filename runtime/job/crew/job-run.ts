import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isIsoplexError } from '../../error/error.ts'
import type { ActionQuestion } from '../message.ts'
import type { JobEnd, PendingEnd, TakenJob } from '../store.ts'
import { createActionHost } from './action-host.ts'
import { createActionOrder } from './action-order.ts'
import { ActionProcess } from './action-process.ts'
import type { ActionHere, CrewOptions } from './crew.ts'
import { cancelledEnd, crashedEnd, failedEnd, overdueEnd } from './job-end.ts'
import { JobRights } from './job-rights.ts'
import { keepLease } from './lease-keeper.ts'
import { type ObservedHost, observeHost } from './observed-host.ts'
import { withPatience } from './patience.ts'

/** What a job is run from. */
export interface JobRunOptions extends CrewOptions {
  readonly taken: TakenJob
  readonly action: ActionHere
}

/** So long nothing is begun here in the place of a job that this server could not go on with. */
const failurePauseMs = 5_000
/** How long a process whose job has ended may take to end as well. */
const lingerMs = 2_000

/**
 * One taking of a job, from its lease to its end or until it is given back: it keeps the lease, starts the process,
 * and sees to it that the job ends in time whatever the process does.
 */
export class JobRun {
  readonly #options: JobRunOptions
  readonly #directory: string
  readonly #rights: JobRights
  readonly #host: ObservedHost
  /** Fires when nothing is to be written any more: the lease is lost, or this server stops. */
  readonly #givenUp = new AbortController()
  /** Fires when the job is to end. */
  readonly #asked = new AbortController()
  readonly #rollbackErrors: string[] = []
  readonly #done: Promise<void>
  #process: ActionProcess | null = null
  /** What the job was asked to end as: it was cancelled, or its time is over. */
  #end: PendingEnd | null = null
  /** What it ends as once its rollback is over. */
  #rollback: PendingEnd | null
  /** Whether there may be something to roll back. */
  #stepped: boolean
  #finished = false
  #lost = false
  #rollbackOverdue = false
  #watchdog: Timer | undefined

  /** Begins. */
  constructor(options: JobRunOptions) {
    const { taken, store, workDirectory } = options
    this.#options = options
    this.#directory = join(workDirectory, `${taken.job.id}-${taken.lease.fence}`)
    this.#stepped = taken.steps.length > 0 || taken.runningStep !== null
    this.#rollback = taken.pendingEnd
    const { signal } = this.#givenUp
    this.#rights = new JobRights(options)
    const host = createActionHost({ store, lease: taken.lease, signal, rights: this.#rights })
    this.#host = observeHost(host, {
      answered: (question, parameters) => this.#hear(question, parameters),
      lost: () => this.#lose(),
    })
    this.#done = this.#run()
  }

  /** The digests of the models that the job uses. */
  get digests(): ReadonlySet<string> {
    return this.#rights.digests
  }

  /** Resolves when it is over, whatever has become of the job. */
  get done(): Promise<void> {
    return this.#done
  }

  /** Asks for the job's end. Who does not begin with it in time is ended by force. */
  cancel(end: PendingEnd = cancelledEnd()): void {
    if (this.#end !== null || this.#rollback !== null || this.#finished) return
    this.#end = end
    this.#asked.abort()
    this.#process?.cancel(end.error)
    this.#watchdog = setTimeout(() => this.#process?.kill(), this.#options.limits.jobCancelGraceMs)
  }

  /** Ends the process and gives the job back as it is, so that it goes on elsewhere, or here at the next start. */
  stop(): Promise<void> {
    this.#givenUp.abort()
    this.#process?.kill()
    return this.#done
  }

  async #run(): Promise<void> {
    const { taken, action, limits, log } = this.#options
    const { job, lease, elapsedMs } = taken
    const timeoutMs = action.timeoutMs ?? limits.jobTimeoutMs
    const leftMs = timeoutMs - elapsedMs
    const clock = setTimeout(() => this.cancel(overdueEnd(timeoutMs)), Math.max(0, leftMs))
    const keeper = keepLease({
      store: this.#options.store,
      lease,
      leaseMs: limits.jobLeaseMs,
      cancelled: () => this.cancel(),
      lost: () => this.#lose(),
      failed: (error) => log.warn('The lease of a job could not be renewed', { job: job.id, error }),
    })
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      if (leftMs <= 0) this.cancel(overdueEnd(timeoutMs))
      if (job.cancelRequested) this.cancel()
      await this.#work()
    } catch (error) {
      await this.#fail(error)
    } finally {
      keeper[Symbol.dispose]()
      clearTimeout(clock)
      clearTimeout(this.#watchdog)
      await this.#endProcess()
      if (this.#givenUp.signal.aborted && !this.#lost && !this.#finished) await this.#release(true)
      await rm(this.#directory, { recursive: true, force: true }).catch(() => undefined)
    }
  }

  async #work(): Promise<void> {
    const { taken, limits } = this.#options
    const vain = taken.attemptsInVain > limits.maxJobAttempts
    if (taken.pendingEnd !== null) {
      if (vain) await this.#finish(taken.pendingEnd, 'The process died in the rollback again and again.')
      else await this.#rollBack(taken.pendingEnd)
      return
    }
    const end = this.#end ?? (vain ? crashedEnd(limits.maxJobAttempts) : await this.#refusal())
    if (end === null) await this.#goOn()
    else if (await this.#conclude(end)) await this.#rollBack(end)
  }

  /** Why the job may not go on: it was asked to end, or who submitted it has no right to its models. */
  async #refusal(): Promise<PendingEnd | null> {
    try {
      await this.#rights.assert(AbortSignal.any([this.#asked.signal, this.#givenUp.signal]))
      await this.#fetchInput()
    } catch (error) {
      this.#givenUp.signal.throwIfAborted()
      if (isLeaseLost(error)) throw error
      return this.#end ?? failedEnd(error)
    }
    return this.#end
  }

  /** Runs the job in a process, until it has ended or the process has. */
  async #goOn(): Promise<void> {
    const how = await this.#runProcess(null)
    if (this.#finished || this.#givenUp.signal.aborted) return
    if (this.#rollbackOverdue && this.#rollback !== null) await this.#finishOverdue(this.#rollback)
    else if (this.#end === null || this.#rollback !== null) await this.#giveBack(how)
    // The next process begins with what this one has recorded.
    else if (await this.#conclude(this.#end)) await this.#release(true)
  }

  /** Runs what is left of a rollback in a process. */
  async #rollBack(end: PendingEnd): Promise<void> {
    try {
      await this.#fetchInput()
    } catch (error) {
      this.#givenUp.signal.throwIfAborted()
      if (isLeaseLost(error)) throw error
      await this.#finish(end, 'The rollback could not begin: the input of the job is gone.')
      return
    }
    this.#watchRollback(end)
    const how = await this.#runProcess(end)
    if (this.#finished || this.#givenUp.signal.aborted) return
    if (this.#rollbackOverdue) await this.#finishOverdue(end)
    else await this.#giveBack(how)
  }

  async #runProcess(pendingEnd: PendingEnd | null): Promise<string> {
    const { environment } = this.#options
    const order = createActionOrder(this.#options, {
      pendingEnd,
      workDirectory: this.#directory,
      inputPath: this.#inputPath,
      modelId: this.#rights.modelId,
    })
    this.#givenUp.signal.throwIfAborted()
    const process = new ActionProcess({ environment, order, host: this.#host })
    this.#process = process
    const { how } = await process.exited
    // What it asked for with its last breath counts.
    await this.#host.settled()
    return how
  }

  #fetchInput(): Promise<void> {
    const { store, taken } = this.#options
    const fetch = (): Promise<void> => store.fetch(taken.lease, { kind: 'input' }, this.#inputPath)
    return withPatience(fetch, { signal: this.#givenUp.signal })
  }

  get #inputPath(): string {
    return join(this.#directory, 'input')
  }

  /** Ends the job, or records that it is to be rolled back first: that is the answer. */
  async #conclude(end: PendingEnd): Promise<boolean> {
    if (this.#stepped) await this.#host.beginRollback(end)
    else await this.#finish(end)
    return this.#stepped
  }

  async #finish({ state, error }: PendingEnd, rollbackError?: string): Promise<void> {
    const further = rollbackError === undefined ? [] : [rollbackError]
    const rollbackErrors = [...error.rollbackErrors, ...this.#rollbackErrors, ...further]
    const end: JobEnd = { state, error: { ...error, rollbackErrors }, result: null }
    await this.#host.finish(end)
  }

  #finishOverdue(end: PendingEnd): Promise<void> {
    const { jobRollbackTimeoutMs } = this.#options.limits
    return this.#finish(end, `The rollback did not end within ${jobRollbackTimeoutMs} ms.`)
  }

  async #giveBack(how: string): Promise<void> {
    const { taken, log } = this.#options
    const { id, attempt } = taken.job
    log.warn('The process of a job has died', { job: id, function: taken.job.function, attempt, how })
    await this.#release(false)
  }

  async #release(blameless: boolean): Promise<void> {
    const { store, taken, log, changed } = this.#options
    const { jobId } = taken.lease
    try {
      await store.release(taken.lease, { blameless })
      changed(jobId)
    } catch (error) {
      // It is taken up again when its lease has ended.
      log.warn('A job could not be given back', { job: jobId, error })
    }
  }

  /** What keeps this server from beginning, a full disk for example, may pass, and is no fault of the job. */
  async #fail(error: unknown): Promise<void> {
    const { taken, log } = this.#options
    const { signal } = this.#givenUp
    if (isLeaseLost(error)) this.#lose()
    if (signal.aborted) return
    log.error('A job could not be gone on with', { job: taken.job.id, error })
    await pause(failurePauseMs, undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) await this.#release(true)
  }

  async #endProcess(): Promise<void> {
    this.#process?.kill()
    await this.#process?.exited
    await this.#host.settled()
  }

  #hear(question: ActionQuestion, [first, second]: readonly unknown[]): void {
    if (question === 'beginStep') this.#stepped = true
    // The host was given the question as its interface has it.
    else if (question === 'beginRollback') this.#watchRollback(first as PendingEnd)
    else if (question === 'recordRollback' && second !== null) this.#rollbackErrors.push(String(second))
    else if (question === 'finish') {
      this.#finished = true
      clearTimeout(this.#watchdog)
      this.#watchdog = setTimeout(() => this.#process?.kill(), lingerMs)
    }
    this.#options.changed(this.#options.taken.job.id)
  }

  #watchRollback(end: PendingEnd): void {
    this.#rollback = end
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => {
      this.#rollbackOverdue = true
      this.#process?.kill()
    }, this.#options.limits.jobRollbackTimeoutMs)
  }

  #lose(): void {
    if (this.#lost || this.#finished) return
    this.#lost = true
    const { taken, log } = this.#options
    log.warn('The lease of a job is lost: somebody else goes on with it', { job: taken.job.id })
    this.#givenUp.abort()
    this.#process?.kill()
  }
}

function isLeaseLost(error: unknown): boolean {
  return isIsoplexError(error) && error.code === 'LEASE_LOST'
}
