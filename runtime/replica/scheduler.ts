import { anonymous } from '../auth/credentials.ts'
import { type AnyIsoplexError, isIsoplexError } from '../error/error.ts'
import type { ResolvedModel } from '../model/resolve.ts'
import { breakStream, deliver } from './delivery.ts'
import type { Deployment } from './deployment.ts'
import {
  callerGone,
  deadlineExceeded,
  draining,
  loadBroken,
  quarantined,
  queueFull,
  replicaCrashed,
  shareExceeded,
} from './failure.ts'
import { type KeeperOptions, RunnerKeeper } from './keeper.ts'
import type { EndOfRunner, ReplicaPool } from './pool.ts'
import { Quarantine } from './quarantine.ts'
import { RequestQueue } from './queue.ts'
import { type BacklogReport, type ResidencyControl, toBacklog } from './residency-control.ts'
import type { ResidencyReport } from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'
import { Shares } from './shares.ts'
import type { RerunCause, Tallies } from './tallies.ts'
import { type Answer, Ticket, type Work } from './ticket.ts'
import { type Suspect, Ward } from './ward.ts'
import type { LoadOptions } from './wishes.ts'

/** How requests are queued and runners kept. */
export interface SchedulerOptions extends KeeperOptions {
  /** What is counted. */
  readonly tallies: Tallies
  /** The most requests that wait for one model of one function; more are refused with `QUEUE_FULL`. */
  readonly maxQueuedRequests: number
  /** The most requests of one principal at a time; more are refused with `SHARE_EXCEEDED`. */
  readonly maxRequestsPerPrincipal: number
}

/** How long a runner may go on with a request after its deadline before it is ended. */
const overdueGraceMs = 1_000
/** A request that was in hand at so many deaths is tried alone. */
const suspectDeaths = 2
/** How long requests are kept out that end replicas: from the third of a principal, function and model on. */
const quarantineOptions = {
  toleratedDeaths: 2,
  firstMs: 10_000,
  longestMs: 300_000,
  forgottenAfterMs: 600_000,
  maxKeys: 10_000,
}

/**
 * Brings requests to runners: a queue for each model of each deployment, batches sent to whoever is free.
 * A batch never mixes models, and principals take turns in it. A request in the hands of a runner that dies runs again,
 * one to a batch; after the second death it is tried alone, so that nobody fails for another's fault.
 */
export class Scheduler implements ResidencyControl {
  readonly #options: SchedulerOptions
  readonly #keeper: RunnerKeeper
  readonly #ward: Ward
  readonly #queues = new Map<string, RequestQueue>()
  readonly #shares = new Shares()
  readonly #quarantine = new Quarantine(quarantineOptions)
  #nextTicket = 1
  #waitingCallers = 0
  #closed: Promise<void> | null = null
  #drained: (() => void) | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#keeper = new RunnerKeeper(options, {
      changed: (queue) => {
        if (queue) this.#dispatch(queue)
        else {
          this.#dispatchAll()
          this.#ward.proceed()
        }
      },
      frame: (link, frame) => {
        deliver(link, frame, (_, id) => this.#cancel(link, id, link.deployment.timeoutMs))
        this.#dispatch(link.queue)
        this.#keeper.settle(link)
        this.#checkDrained()
      },
      ended: (link, how) => this.#ended(link, how),
      needs: (queue) => queue.length > 0,
      suspectLoad: (queue) => {
        if (!this.#ward.holds(queue.key)) this.#ward.admit({ queue, ticket: null })
      },
    })
    this.#ward = new Ward({
      pool: this.#keeper.pool,
      loadTimeoutMs: options.loadTimeoutMs,
      events: {
        convicted: (suspect) => this.#convict(suspect),
        loadAcquitted: (queue) => this.#keeper.acquit(queue),
        loadFailed: (queue, error) => this.#keeper.condemn(queue, error),
        left: (link, id) => this.#cancel(link, id, link.deployment.timeoutMs),
        changed: () => this.#checkDrained(),
      },
    })
  }

  /** The replicas and their runners, for whoever reports on them. */
  get pool(): ReplicaPool {
    return this.#keeper.pool
  }

  /**
   * Answers a request.
   *
   * @throws {IsoplexError} `QUEUE_FULL`, `SHARE_EXCEEDED`, `QUARANTINED`, `DRAINING`, `DEADLINE_EXCEEDED`,
   * `CANCELLED`, `REPLICA_CRASHED`, what the function threw, or why its model could not be loaded.
   */
  submit(work: Work): Promise<Answer> {
    const queue = this.#queueOf(work)
    const caller = this.#options.tallies.principal(work.head.principal)
    caller.requests += 1
    const refusal = this.#refusal(work, queue)
    if (refusal) {
      this.#prune(queue)
      caller.rejections.add(refusal.code)
      this.#options.tallies.rejections.add(refusal.code)
      return Promise.reject(refusal)
    }
    const { tally } = queue
    const arrivedMs = performance.now()
    return new Promise((resolve, reject) => {
      const answer = (given: Answer): void => {
        tally.succeeded(performance.now() - arrivedMs)
        resolve(given)
      }
      const fail = (error: unknown): void => {
        tally.failed(isIsoplexError(error) ? error.code : 'INTERNAL')
        reject(error)
      }
      const ticket = new Ticket(this.#nextTicket, work, arrivedMs, answer, fail)
      this.#nextTicket = (this.#nextTicket % 0xffff_ffff) + 1
      this.#watch(ticket)
      queue.add(ticket)
      this.#dispatch(queue)
    })
  }

  /** Names the deployments that are current: runners of others finish what they have and go. */
  setCurrent(deploymentIds: ReadonlySet<string>): void {
    this.#keeper.setCurrent(deploymentIds)
  }

  /** Has a model loaded, as if a request waited for it: see {@link RunnerKeeper.load}. */
  load(deployment: Deployment, model: ResolvedModel | null, options: LoadOptions): Promise<void> {
    return this.#keeper.load(this.#queueOf({ deployment, model }), options)
  }

  /** Unloads a model and unpins it: see {@link RunnerKeeper.unload}. */
  unload(deploymentName: string | null, modelKey: string): Promise<number> {
    return this.#keeper.unload(deploymentName, modelKey)
  }

  /** Pins a model of a function, or lets it go again: see {@link RunnerKeeper.setPinned}. */
  setPinned(deploymentName: string, modelKey: string, pinned: boolean): void {
    this.#keeper.setPinned(deploymentName, modelKey, pinned)
  }

  /** Reports what is loaded where, and what has left lately. */
  report(): ResidencyReport {
    return this.#keeper.report()
  }

  /** The requests that wait, model by model; where none wait, nothing is told. */
  backlog(): readonly BacklogReport[] {
    return [...this.#queues.values()].filter(({ length }) => length > 0).map(toBacklog)
  }

  /**
   * Refuses new requests, finishes those at hand, and ends every replica; by force after the time given. A
   * further call waits for the first.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs)
    return this.#closed
  }

  async #close(timeoutMs: number): Promise<void> {
    const startedMs = performance.now()
    // Runners go as soon as nobody needs them: one that hangs does not keep the others from their teardown.
    this.#keeper.setCurrent(new Set())
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    const timer = setTimeout(resolve, timeoutMs)
    this.#checkDrained()
    await promise
    clearTimeout(timer)
    for (const queue of this.#queues.values()) queue.failAll(draining())
    for (const { sent } of this.pool.links) for (const { ticket } of sent.values()) ticket.fail(draining())
    this.#ward.failAll(draining())
    await this.#keeper.close(Math.max(0, timeoutMs - (performance.now() - startedMs)))
  }

  #refusal({ signal, head: { principal } }: Work, queue: RequestQueue): AnyIsoplexError | null {
    if (this.#closed) return draining()
    if (signal.aborted) return callerGone()
    const keptOutMs = this.#keptOutMs(queue, principal)
    if (keptOutMs > 0) return quarantined(queue, keptOutMs)
    const failure = this.#keeper.recentFailure(queue)
    if (failure) return failure
    const { maxRequestsPerPrincipal, maxQueuedRequests } = this.#options
    if (this.#shares.of(principal) >= maxRequestsPerPrincipal) return shareExceeded(queue)
    return queue.length < maxQueuedRequests ? null : this.#makeRoom(queue, principal)
  }

  /** How much longer a principal's requests are kept out of a queue; nearly always nobody's are. */
  #keptOutMs(queue: RequestQueue, principal: string): number {
    if (this.#quarantine.empty) return 0
    return this.#quarantine.remainingMs(quarantineKeyOf(queue, principal), performance.now())
  }

  /** In a full queue whoever has the most there makes room, be it the newcomer itself. */
  #makeRoom(queue: RequestQueue, principal: string): AnyIsoplexError | null {
    const yielding = queue.yielding(principal)
    if (!yielding) return queue.holdsOthers(principal) ? shareExceeded(queue) : queueFull(queue)
    yielding.fail(shareExceeded(queue))
    return null
  }

  /** Keeps the ticket's deadline, and gives up on it when its caller has gone. */
  #watch(ticket: Ticket): void {
    const { signal, deployment } = ticket.work
    const overdue = setTimeout(
      () => this.#giveUp(ticket, deadlineExceeded(ticket), overdueGraceMs),
      deployment.timeoutMs,
    )
    const left = (): void => this.#giveUp(ticket, callerGone(), deployment.timeoutMs)
    signal.addEventListener('abort', left, { once: true })
    this.#shares.add(ticket.principal)
    this.#waitingCallers += 1
    ticket.onSettled(() => {
      clearTimeout(overdue)
      signal.removeEventListener('abort', left)
      this.#shares.remove(ticket.principal)
      this.#waitingCallers -= 1
    })
  }

  /** Answers with an error; a runner that has the request in hand is told to let go of it. */
  #giveUp(ticket: Ticket, error: AnyIsoplexError, graceMs: number): void {
    ticket.fail(error)
    if (ticket.link) this.#cancel(ticket.link, ticket.id, graceMs)
    else this.#prune(this.#queueOf(ticket.work))
    this.#checkDrained()
  }

  /** Tells a runner that nobody waits for a request, and ends the runner where it will not let go. */
  #cancel(link: RunnerLink, ticketId: number, graceMs: number): void {
    link.cancel(ticketId, graceMs, () => this.#keeper.terminate(link, 'it does not let go of a request'))
  }

  #queueOf(work: Pick<Work, 'deployment' | 'model'>): RequestQueue {
    const key = keyOf(work)
    const known = this.#queues.get(key)
    if (known) return known
    const { deployment, model } = work
    const tally = this.#options.tallies.model(deployment.name, model?.info ?? null)
    const queue = new RequestQueue(key, { deployment, model, tally })
    this.#queues.set(key, queue)
    return queue
  }

  /** Forgets a queue in which nothing waits and which nobody serves. */
  #prune(queue: RequestQueue): void {
    const unused = queue.length === 0 && queue.links.size === 0 && !this.#keeper.keeps(queue)
    if (unused && this.#queues.get(queue.key) === queue) this.#queues.delete(queue.key)
  }

  #dispatch(queue: RequestQueue): void {
    const nowMs = performance.now()
    while (queue.length > 0) {
      const link = this.#runnerFor(queue, nowMs)
      if (!link) {
        this.#keeper.want(queue)
        this.#prune(queue)
        return
      }
      this.#send(queue.take(), link, nowMs)
    }
    this.#prune(queue)
  }

  #send(batch: readonly Ticket[], link: RunnerLink, nowMs: number): void {
    const { tally } = link.queue
    tally.sent(batch.length)
    for (const { arrivedMs } of batch) tally.waited(nowMs - arrivedMs)
    link.send(batch, nowMs)
  }

  /** Longest wait first, so that no queue is passed over for ever. */
  #dispatchAll(): void {
    const queues = [...this.#queues.values()].filter((queue) => queue.length > 0)
    for (const queue of queues.toSorted((a, b) => a.oldestMs - b.oldestMs)) this.#dispatch(queue)
  }

  /** A free runner; else one that can have a batch ahead, once the batch has had its wait for company. */
  #runnerFor(queue: RequestQueue, nowMs: number): RunnerLink | null {
    let ahead: RunnerLink | null = null
    for (const link of queue.links) {
      if (link.free) return link
      if (link.room > 0) ahead = link
    }
    if (!ahead) return null
    const patienceMs = queue.patienceMs(nowMs)
    if (patienceMs === 0) return ahead
    queue.wakeAfter(patienceMs, () => this.#dispatch(queue))
    return null
  }

  #ended(link: RunnerLink, how: EndOfRunner): void {
    for (const sent of link.abandon()) {
      breakStream(sent)
      if (sent.ticket.settled) continue
      link.queue.tally.ranAgain(rerunCauseOf(link, how))
      this.#runAgain(sent.ticket, link.queue, how.blame)
    }
    this.#checkDrained()
  }

  #runAgain(ticket: Ticket, queue: RequestQueue, blame: EndOfRunner['blame']): void {
    if (blame !== 'none') ticket.deaths += 1
    if (!queue.deployment.idempotent) ticket.fail(replicaCrashed(ticket))
    else if (ticket.deaths < suspectDeaths) queue.addAgain(ticket)
    else if (blame === 'sole') this.#convict({ queue, ticket })
    else this.#ward.admit({ queue, ticket })
  }

  /** Fails what has ended a replica beyond doubt, and keeps the like of it out for a while. */
  #convict({ queue, ticket }: Suspect): void {
    if (!ticket) {
      this.#keeper.condemn(queue, loadBroken(queue, 'ended its process'))
      return
    }
    // Nobody is to be kept out because a stranger, who sent no token either, kills replicas.
    if (ticket.principal !== anonymous) {
      this.#quarantine.add(quarantineKeyOf(queue, ticket.principal), performance.now())
    }
    ticket.fail(replicaCrashed(ticket))
  }

  /** Whether all that was promised is done: no caller waits and no stream runs. */
  #checkDrained(): void {
    if (!this.#drained || this.#waitingCallers > 0) return
    for (const link of this.pool.links) if (!link.idle) return
    this.#drained()
  }
}

function rerunCauseOf({ terminated }: RunnerLink, { crashed, blame }: EndOfRunner): RerunCause {
  if (terminated || blame === 'none') return 'terminated'
  return crashed ? 'crashed' : 'ended'
}

function quarantineKeyOf({ deployment, model }: RequestQueue, principal: string): string {
  return `${principal}\n${deployment.name}\n${model?.key ?? ''}`
}

function keyOf({ deployment, model }: Pick<Work, 'deployment' | 'model'>): string {
  return `${deployment.id} ${model?.key ?? ''}`
}
