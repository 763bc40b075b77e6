import type { AnyIsoplexError } from '../error/error.ts'
import type { ResolvedModel } from '../model/resolve.ts'
import { Admission, type AdmissionOptions } from './admission.ts'
import { CallDesk, type Submit } from './call-desk.ts'
import type { CallTargets } from './call-target.ts'
import { breakStream, deliver } from './delivery.ts'
import type { Deployment } from './deployment.ts'
import { Dispatcher } from './dispatcher.ts'
import {
  callerGone,
  deadlineExceeded,
  draining,
  loadBroken,
  nodesMissing,
  replicaCrashed,
  replicasMissing,
} from './failure.ts'
import type { Frame } from './frame.ts'
import { type KeeperOptions, RunnerKeeper } from './keeper.ts'
import type { EndOfRunner, ReplicaPool } from './pool.ts'
import { RequestQueue } from './queue.ts'
import { QueueMap } from './queue-map.ts'
import { type BacklogReport, type ResidencyControl, toBacklog } from './residency-control.ts'
import type { ResidencyReport } from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'
import type { RerunCause, Tallies } from './tallies.ts'
import { type Answer, Ticket, type Work } from './ticket.ts'
import { TicketWatch } from './ticket-watch.ts'
import type { Suspect } from './trial-room.ts'
import { Ward } from './ward.ts'
import type { LoadOptions } from './wishes.ts'

/** How requests are queued and runners kept. */
export interface SchedulerOptions extends KeeperOptions, AdmissionOptions {
  readonly tallies: Tallies
  /** Decides which requests are taken; several schedulers may share it. @default one of its own */
  readonly admission?: Admission
}

/** How long a runner may go on with a request after its deadline before it is ended. */
const overdueGraceMs = 1_000
/** A request that was in hand at so many deaths is tried alone; where it was the only one, after the first. */
const suspectDeaths = 2

/**
 * Brings requests to runners: a queue for each model of each deployment, batches sent to whoever is free.
 * A batch never mixes models, and principals take turns in it. A request in the hands of a runner that dies runs again,
 * one to a batch; after the second death, or where nothing else went on, it is tried alone. It fails only where it
 * dies there too: neither another's fault nor a stray `kill` fails anybody.
 */
export class Scheduler implements ResidencyControl {
  readonly #keeper: RunnerKeeper
  readonly #ward: Ward
  readonly #admission: Admission
  readonly #watch = new TicketWatch({
    overdue: (ticket) =>
      this.#giveUp(ticket, this.pool.size === 0 ? nodesMissing() : deadlineExceeded(ticket), overdueGraceMs),
    left: (ticket) => this.#giveUp(ticket, callerGone(), ticket.work.deployment.timeoutMs),
  })
  readonly #queues: QueueMap
  readonly #dispatcher: Dispatcher
  readonly #desk: CallDesk
  #nextTicket = 1
  #closed: Promise<void> | null = null
  #drained: (() => void) | null = null
  #givenUp = false

  constructor(options: SchedulerOptions) {
    this.#admission = options.admission ?? new Admission(options)
    this.#queues = new QueueMap(({ deployment, model }) => {
      const tally = options.tallies.model(deployment.name, model?.info ?? null)
      return new RequestQueue(`${deployment.id} ${model?.key ?? ''}`, { deployment, model, tally })
    })
    this.#keeper = new RunnerKeeper(options, {
      changed: (queue) => this.#changed(queue),
      frame: (link, frame) => this.#receive(link, frame),
      ended: (link, how) => this.#ended(link, how),
      needs: (queue) => queue.length > 0,
      suspectLoad: (queue) => this.#ward.admit({ queue, ticket: null }),
    })
    this.#dispatcher = new Dispatcher({
      want: (queue) => this.#keeper.want(queue),
      settle: (link) => this.#keeper.settle(link),
      waits: (ticket) => this.#watch.wait(ticket),
      dispatched: (queue) => this.#prune(queue),
      turned: () => this.#checkDrained(),
    })
    this.#desk = new CallDesk({
      tallies: options.tallies,
      log: options.log,
      changed: (link) => this.#dispatcher.hear(link),
    })
    this.#ward = new Ward({
      pool: this.#keeper.pool,
      loadTimeoutMs: options.loadTimeoutMs,
      events: {
        convicted: (suspect) => this.#convict(suspect),
        loadAcquitted: (queue) => this.#keeper.acquit(queue),
        loadFailed: (queue, error) => this.#keeper.condemn(queue, error),
        frame: (link, frame) => this.#deliver(link, frame),
        changed: () => this.#checkDrained(),
      },
    })
  }

  /** The replicas and their runners, for whoever reports on them. */
  get pool(): ReplicaPool {
    return this.#keeper.pool
  }

  /**
   * Names who knows the functions that others can call; before, there are none.
   *
   * @param submit answers the calls, by default this scheduler itself
   */
  answerCalls(targets: CallTargets, submit: Submit = (work) => this.submit(work)): void {
    this.#desk.open(targets, submit)
  }

  /**
   * Answers a request.
   *
   * @throws {IsoplexError} `QUEUE_FULL`, `SHARE_EXCEEDED`, `QUARANTINED`, `REPLICAS_MISSING`, `DRAINING`, `DEADLINE_EXCEEDED`,
   * `CANCELLED`, `REPLICA_CRASHED`, what the function threw, or why its model could not be loaded.
   */
  submit(work: Work): Promise<Answer> {
    const queue = this.#queues.of(work)
    const refusal = this.#refusal(queue, work)
    if (refusal) {
      this.#prune(queue)
      return Promise.reject(refusal)
    }
    return new Promise((resolve, reject) => {
      const ticket = new Ticket(this.#nextTicket, work, performance.now(), resolve, reject)
      this.#nextTicket = (this.#nextTicket % 0xffff_ffff) + 1
      ticket.onSettled(() => {
        this.#watch.delete(ticket)
        if (!work.parent) this.#admission.release(work.head.principal)
      })
      this.#watch.add(ticket)
      queue.add(ticket)
      this.#dispatcher.arrive(ticket, queue)
    })
  }

  /** What a request that is at hand calls is part of it, so that it is taken while those are finished. */
  #refusal(queue: RequestQueue, { parent, head: { principal } }: Work): AnyIsoplexError | null {
    if (this.#givenUp || (this.#closed && !parent)) return draining()
    const failure = this.#unmanned(queue) ?? this.#keeper.recentFailure(queue)
    if (failure) return failure
    return parent ? this.#admission.admitCall(queue, principal) : this.#admission.admit(queue, principal)
  }

  /** Names the deployments that are current: runners of others finish what they have and go. */
  setCurrent(deploymentIds: ReadonlySet<string>): void {
    this.#keeper.setCurrent(deploymentIds)
  }

  /** Has a model loaded, as if a request waited for it: see {@link RunnerKeeper.load}. */
  load(deployment: Deployment, model: ResolvedModel | null, options: LoadOptions): Promise<void> {
    return this.#keeper.load(this.#queues.of({ deployment, model }), options)
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

  /** The requests that wait, by function and model. */
  backlog(): readonly BacklogReport[] {
    return [...this.#queues].filter(({ length }) => length > 0).map(toBacklog)
  }

  /** Answers every request at hand with `DRAINING`, but for streams that have begun; runners are told to let go. */
  giveUp(): void {
    this.#givenUp = true
    for (const queue of this.#queues) queue.failAll(draining())
    this.#ward.failAll(draining())
    for (const { sent, deployment } of this.pool.links)
      for (const { ticket } of [...sent.values()])
        if (!ticket.settled) this.#giveUp(ticket, draining(), deployment.timeoutMs)
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
    this.giveUp()
    await this.#keeper.close(Math.max(0, timeoutMs - (performance.now() - startedMs)))
  }

  /** Without a replica nothing would ever be answered. */
  #unmanned(queue: RequestQueue): AnyIsoplexError | null {
    return this.pool.size === 0 && !this.pool.changing ? replicasMissing(queue) : null
  }

  /** Answers with an error; a runner that has the request in hand is told to let go of it. */
  #giveUp(ticket: Ticket, error: AnyIsoplexError, graceMs: number): void {
    ticket.fail(error)
    if (ticket.link) this.#cancel(ticket.link, ticket.id, graceMs)
    else this.#prune(this.#queues.of(ticket.work))
    this.#checkDrained()
  }

  /** Tells a runner that nobody waits for a request, and ends the runner where it will not let go. */
  #cancel(link: RunnerLink, ticketId: number, graceMs: number): void {
    link.cancel(ticketId, graceMs, () => this.pool.terminate(link, 'it does not let go of a request'))
  }

  /** Forgets a queue in which nothing waits and which nobody serves. */
  #prune(queue: RequestQueue): void {
    if (queue.length === 0 && queue.links.size === 0 && !this.#keeper.keeps(queue)) this.#queues.delete(queue)
  }

  #receive(link: RunnerLink, frame: Frame): void {
    this.#deliver(link, frame)
    this.#dispatcher.hear(link)
  }

  #deliver(link: RunnerLink, frame: Frame): void {
    if (this.#desk.receive(link, frame)) return
    deliver(link, frame, (_, id) => this.#cancel(link, id, link.deployment.timeoutMs))
  }

  /** Something may let requests go on: those of one queue, or (`null`) any, and what waits for its trial. */
  #changed(queue: RequestQueue | null): void {
    if (queue) this.#dispatcher.touch(queue)
    else {
      for (const each of this.#queues) this.#dispatcher.touch(each)
      this.#ward.proceed()
    }
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
    else if (blame === 'sole' || ticket.deaths >= suspectDeaths) this.#ward.admit({ queue, ticket })
    else queue.addAgain(ticket)
  }

  /** Fails what has ended a replica beyond doubt, and keeps the like of it out for a while. */
  #convict({ queue, ticket }: Suspect): void {
    if (!ticket) {
      this.#keeper.condemn(queue, loadBroken(queue, 'ended its process'))
      return
    }
    ticket.deaths += 1
    this.#admission.convict(queue, ticket.principal)
    ticket.fail(replicaCrashed(ticket))
  }

  /** Whether not all that was promised is done: callers wait, or streams run. */
  get busy(): boolean {
    return this.#watch.size > 0 || [...this.pool.links].some(({ idle }) => !idle)
  }

  #checkDrained(): void {
    if (this.#drained && !this.busy) this.#drained()
  }
}

function rerunCauseOf({ terminated }: RunnerLink, { crashed, blame }: EndOfRunner): RerunCause {
  if (terminated || blame === 'none') return 'terminated'
  return crashed ? 'crashed' : 'ended'
}
