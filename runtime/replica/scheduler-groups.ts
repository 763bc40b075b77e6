import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResolvedModel } from '../model/resolve.ts'
import { Admission } from './admission.ts'
import type { CallTargets } from './call-target.ts'
import type { Deployment, ReplicaGroup } from './deployment.ts'
import { draining } from './failure.ts'
import { type Activity, activitiesOf, OwnGroup } from './own-group.ts'
import type { BacklogReport, ResidencyControl } from './residency-control.ts'
import type { ResidencyReport } from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'
import { Scheduler, type SchedulerOptions } from './scheduler.ts'
import type { Answer, Work } from './ticket.ts'
import type { LoadOptions } from './wishes.ts'

/** How the groups of a gateway are set up: the options are those of the default group. */
export interface GroupsOptions extends SchedulerOptions {
  /** Threads of one operator in a group of so many replicas, where its deployment does not say. */
  readonly threadsOf: (replicas: number) => number
}

/** The replicas of all groups together. */
export interface GroupedPool {
  /** How many replicas are kept, ready or not. */
  readonly size: number
  /** The replicas that take orders. */
  readonly replicas: Scheduler['pool']['replicas']
  readonly links: readonly RunnerLink[]
}

/** What a deployment has, and has to do. */
export interface DeploymentActivity extends Activity {
  /** Replicas that are to answer it, and those that do. */
  readonly replicas: { readonly target: number; readonly running: number }
}

/** How often it is looked how many replicas are needed, and what may go. */
const lookMs = 250
/** How long a group whose deployment is gone may take to free what it holds. */
const dismissalMs = 10_000

/**
 * The scheduler of a gateway: one for the replicas that most deployments share, and one for each group of replicas that
 * a deployment has to itself. Whom requests are taken from is decided for all together.
 */
export class SchedulerGroups implements ResidencyControl {
  readonly #options: GroupsOptions
  readonly #default: Scheduler
  readonly #groups = new Map<string, OwnGroup>()
  #current: ReadonlyMap<string, Deployment> = new Map()
  #targets: CallTargets | null = null
  readonly #submit = (work: Work): Promise<Answer> => this.submit(work)
  #opened = 0
  #looking: Timer | null = null
  /** Groups that have nothing to do any more, on their way out. */
  readonly #leaving = new Set<Promise<void>>()
  #closed: Promise<void> | null = null

  constructor(options: GroupsOptions) {
    const admission = options.admission ?? new Admission(options)
    this.#options = { ...options, admission }
    this.#default = new Scheduler(this.#options)
  }

  /** The replicas and their runners, for whoever reports on them. */
  get pool(): GroupedPool {
    const pools = this.#schedulers.map(({ pool }) => pool)
    return {
      size: pools.reduce((sum, { size }) => sum + size, 0),
      replicas: pools.flatMap(({ replicas }) => replicas),
      links: pools.flatMap(({ links }) => [...links]),
    }
  }

  /**
   * Names the deployments that are current: groups come up for those that have one, and runners and groups of others
   * finish what they have and go.
   */
  follow(deployments: readonly Deployment[]): void {
    if (this.#closed) return
    this.#current = new Map(deployments.map((deployment) => [deployment.name, deployment]))
    const groups = deployments.flatMap(({ group }) => group ?? [])
    for (const group of groups) {
      const known = this.#groups.get(group.id)
      if (known) known.follow(group)
      else this.#groups.set(group.id, this.#open(group))
    }
    const wanted = new Set(groups.map(({ id }) => id))
    for (const group of this.#groups.values()) group.retired = !wanted.has(group.id)
    const ids = new Set(deployments.map(({ id }) => id))
    for (const scheduler of this.#schedulers) scheduler.setCurrent(ids)
    if (this.#groups.size > 0) this.#looking ??= setInterval(() => this.#look(), lookMs).unref()
  }

  /** Has a deployment's group come up, so that its models can be loaded before {@link follow} names it. */
  prepare({ group }: Deployment): void {
    if (group && !this.#closed && !this.#groups.has(group.id)) this.#groups.set(group.id, this.#open(group))
  }

  /** Names who knows the functions that can be called by others; before, there are none. */
  answerCalls(targets: CallTargets): void {
    this.#targets = targets
    for (const scheduler of this.#schedulers) scheduler.answerCalls(targets, this.#submit)
  }

  /** Answers a request: see {@link Scheduler.submit}. */
  submit(work: Work): Promise<Answer> {
    if (this.#closed && !work.parent) return Promise.reject(draining())
    const scheduler = this.#schedulerOf(work.deployment)
    if (scheduler) return scheduler.submit(work)
    // The group has gone while the body arrived: whoever has its deployment's name now answers.
    const successor = this.#current.get(work.deployment.name)
    const next = successor && this.#schedulerOf(successor)
    if (!successor || !next) return Promise.reject(draining())
    return next.submit(redirect(work, successor))
  }

  /** Has a model loaded, as if a request waited for it. @throws {IsoplexError} as {@link Scheduler.load} */
  async load(deployment: Deployment, model: ResolvedModel | null, options: LoadOptions): Promise<void> {
    const scheduler = this.#schedulerOf(deployment)
    if (!scheduler) throw draining()
    await scheduler.load(deployment, model, options)
  }

  /** Unloads a model and unpins it; resolves to how many runners went. */
  async unload(deploymentName: string | null, modelKey: string): Promise<number> {
    const counts = await Promise.all(this.#schedulers.map((each) => each.unload(deploymentName, modelKey)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Pins a model of a deployment where its requests are answered, or lets it go everywhere. */
  setPinned(deploymentName: string, modelKey: string, pinned: boolean): void {
    const current = this.#current.get(deploymentName)
    const own = current && this.#schedulerOf(current)
    for (const scheduler of pinned && own ? [own] : this.#schedulers)
      scheduler.setPinned(deploymentName, modelKey, pinned)
  }

  /** Reports what is loaded where, and what has left lately. */
  report(): ResidencyReport {
    const reports = this.#schedulers.map((scheduler) => scheduler.report())
    const departures = reports.flatMap((each) => each.departures).toSorted((a, b) => b.atMs - a.atMs)
    return { replicas: reports.flatMap(({ replicas }) => replicas), departures }
  }

  /** The requests that wait, by deployment and model. */
  backlog(): readonly BacklogReport[] {
    return this.#schedulers.flatMap((scheduler) => scheduler.backlog())
  }

  /** What each current deployment has to do, and with what, by its name. */
  activities(): ReadonlyMap<string, DeploymentActivity> {
    const activities = activitiesOf({ pool: this.pool, backlog: this.backlog() })
    const entries = [...this.#current.values()].map((deployment) => {
      const { size = 0, replicas = [] } = this.#find(deployment)?.pool ?? {}
      const { ongoing, queued } = activities.get(deployment.name) ?? { ongoing: 0, queued: 0 }
      return [
        deployment.name,
        { ongoing, queued, replicas: { target: size, running: replicas.length } },
      ] as const
    })
    return new Map(entries)
  }

  /** Answers every request at hand with `DRAINING`: see {@link Scheduler.giveUp}. */
  giveUp(): void {
    for (const scheduler of this.#schedulers) scheduler.giveUp()
  }

  /** Refuses new requests, finishes those at hand, and ends every replica: see {@link Scheduler.close}. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs)
    return this.#closed
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#looking) clearInterval(this.#looking)
    const untilMs = performance.now() + timeoutMs
    // What is at hand in one group may call what another answers, so that none goes before all have done.
    if (this.#groups.size > 0) {
      for (const scheduler of this.#schedulers) scheduler.setCurrent(new Set())
      while (this.#schedulers.some(({ busy }) => busy) && performance.now() < untilMs)
        await delay(lookMs / 10)
    }
    const leftMs = Math.max(0, untilMs - performance.now())
    const closing = this.#schedulers.map((scheduler) => scheduler.close(leftMs))
    await Promise.all([...closing, ...this.#leaving])
  }

  get #schedulers(): readonly Scheduler[] {
    return [this.#default, ...[...this.#groups.values()].map(({ scheduler }) => scheduler)]
  }

  #find({ group }: Deployment): Scheduler | undefined {
    return group ? this.#groups.get(group.id)?.scheduler : this.#default
  }

  /** The scheduler of a deployment for which something is about to be done: a group without a replica gets one. */
  #schedulerOf(deployment: Deployment): Scheduler | undefined {
    if (deployment.group) this.#groups.get(deployment.group.id)?.wake(performance.now())
    return this.#find(deployment)
  }

  #open(group: ReplicaGroup): OwnGroup {
    const { runDirectory, environment, session, threadsOf } = this.#options
    const { cudaDevices, maxModelBytes } = group.resources
    const most = typeof group.replicas === 'number' ? group.replicas : group.replicas.max
    this.#opened += 1
    const directory = join(runDirectory, `g${this.#opened}`)
    mkdirSync(directory, { mode: 0o700 })
    return new OwnGroup(group, (replicas) => {
      const scheduler = new Scheduler({
        ...this.#options,
        replicas,
        ...(this.#options.places ? { places: this.#options.places.group() } : {}),
        group: group.id,
        runDirectory: directory,
        environment:
          cudaDevices === undefined ? environment : { ...environment, CUDA_VISIBLE_DEVICES: cudaDevices },
        session: { ...session, intraOpThreads: threadsOf(most) },
        ...(maxModelBytes === undefined ? {} : { maxModelBytesPerReplica: maxModelBytes }),
      })
      if (this.#targets) scheduler.answerCalls(this.#targets, this.#submit)
      return scheduler
    })
  }

  #look(): void {
    const nowMs = performance.now()
    for (const group of this.#groups.values()) {
      group.scale(nowMs)
      if (group.retired && !group.scheduler.busy) this.#dismiss(group)
    }
  }

  #dismiss({ id, scheduler }: OwnGroup): void {
    this.#groups.delete(id)
    const leaving = scheduler.close(dismissalMs).finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }
}

/** A request for another deployment than it came for. */
function redirect(work: Work, deployment: Deployment): Work {
  const { model, head, body, caller, parent, timeoutMs, timing } = work
  return {
    deployment,
    model,
    head,
    body,
    caller,
    ...(parent && { parent }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(timing && { timing }),
    get signal() {
      return work.signal
    },
  }
}
