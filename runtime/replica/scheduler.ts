import type { AnyIsoplexError } from '../error/error.ts'
import { breakStream, deliver } from './delivery.ts'
import { callerGone, deadlineExceeded, draining, queueFull, replicaCrashed } from './failure.ts'
import { type KeeperOptions, RunnerKeeper } from './keeper.ts'
import type { EndOfRunner, ReplicaPool } from './pool.ts'
import { RequestQueue } from './queue.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { RunnerLink } from './runner-link.ts'
import { type Answer, Ticket, type Work } from './ticket.ts'
import { TicketWatch } from './ticket-watch.ts'

/** How requests are queued and runners kept. */
export interface SchedulerOptions extends KeeperOptions {
  /** The most requests that wait for one model of one function; more are refused with `QUEUE_FULL`. */
  readonly maxQueuedRequests: number
}

/** How long a runner may go on with a request after its deadline before it is ended. */
const overdueGraceMs = 1_000
/** A request that was in hand at so many deaths is run with nothing beside it. */
const suspectDeaths = 2

/**
 * Brings requests to runners: a queue for each model of each deployment, batches sent to whoever is free.
 * A batch never mixes models. A request in the hands of a runner that dies runs again, one to a batch, and after
 * the second death with a replica to itself. From the second death on it fails where nothing else went on in
 * what died: few requests fail for another's fault.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #keeper: RunnerKeeper
  readonly #queues = new Map<string, RequestQueue>()
  readonly #suspects = new Set<Ticket>()
  readonly #watch = new TicketWatch({
    overdue: (ticket) => this.#giveUp(ticket, deadlineExceeded(ticket), overdueGraceMs),
    left: (ticket) => this.#giveUp(ticket, callerGone(), ticket.work.deployment.timeoutMs),
  })
  /** The replica that the first of the suspects is to have to itself. */
  #reserved: ReplicaProcess | null = null
  #nextTicket = 1
  #closed: Promise<void> | null = null
  #drained: (() => void) | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#keeper = new RunnerKeeper(options, {
      changed: (queue) => {
        if (queue) this.#dispatch(queue)
        else this.#dispatchAll()
      },
      frame: (link, frame) => {
        deliver(link, frame, (_, id) => this.#cancel(link, id, link.deployment.timeoutMs))
        this.#dispatch(link.queue)
        this.#keeper.settle(link)
        this.#examine()
        this.#checkDrained()
      },
      ended: (link, how) => this.#ended(link, how),
      needs: (queue) => queue.length > 0 || [...this.#suspects].some(({ work }) => keyOf(work) === queue.key),
    })
  }

  /** The replicas and their runners, for whoever reports on them. */
  get pool(): ReplicaPool {
    return this.#keeper.pool
  }

  /**
   * Answers a request.
   *
   * @throws {IsoplexError} `QUEUE_FULL`, `DRAINING`, `DEADLINE_EXCEEDED`, `CANCELLED`, `REPLICA_CRASHED`, what
   * the function threw, or why its model could not be loaded.
   */
  submit(work: Work): Promise<Answer> {
    const queue = this.#queueOf(work)
    const refusal = this.#refusal(queue)
    if (refusal) {
      this.#prune(queue)
      return Promise.reject(refusal)
    }
    return new Promise((resolve, reject) => {
      const ticket = new Ticket(this.#nextTicket, work, performance.now(), resolve, reject)
      this.#nextTicket = (this.#nextTicket % 0xffff_ffff) + 1
      this.#watch.add(ticket)
      ticket.onSettled(() => this.#watch.delete(ticket))
      queue.add(ticket)
      this.#dispatch(queue)
      if (!ticket.link) this.#watch.wait(ticket)
    })
  }

  /** Names the deployments that are current: runners of others finish what they have and go. */
  setCurrent(deploymentIds: ReadonlySet<string>): void {
    this.#keeper.setCurrent(deploymentIds)
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
    for (const suspect of this.#suspects) suspect.fail(draining())
    await this.#keeper.close(Math.max(0, timeoutMs - (performance.now() - startedMs)))
  }

  #refusal(queue: RequestQueue): AnyIsoplexError | undefined {
    if (this.#closed) return draining()
    if (queue.length >= this.#options.maxQueuedRequests) return queueFull(queue)
    return this.#keeper.recentFailure(queue)
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

  #queueOf(work: Work): RequestQueue {
    const key = keyOf(work)
    const known = this.#queues.get(key)
    if (known) return known
    const queue = new RequestQueue(key, work.deployment, work.model)
    this.#queues.set(key, queue)
    return queue
  }

  /** Forgets a queue in which nothing waits and which nobody serves. */
  #prune(queue: RequestQueue): void {
    const unused = queue.length === 0 && queue.links.size === 0
    if (unused && this.#queues.get(queue.key) === queue) this.#queues.delete(queue.key)
  }

  #dispatch(queue: RequestQueue): void {
    const nowMs = performance.now()
    while (queue.length > 0) {
      const link = this.#runnerFor(queue, nowMs)
      if (!link) {
        this.#keeper.want(queue)
        return
      }
      link.send(queue.take(), nowMs)
    }
    this.#prune(queue)
  }

  /** Longest wait first, so that no queue is passed over for ever. */
  #dispatchAll(): void {
    const queues = [...this.#queues.values()].filter((queue) => queue.length > 0)
    for (const queue of queues.toSorted((a, b) => a.oldestMs - b.oldestMs)) this.#dispatch(queue)
    this.#examine()
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

  #ended(link: RunnerLink, { blame }: EndOfRunner): void {
    for (const sent of link.abandon()) {
      breakStream(sent)
      if (!sent.ticket.settled) this.#runAgain(sent.ticket, link.queue, blame)
    }
    this.#checkDrained()
  }

  #runAgain(ticket: Ticket, queue: RequestQueue, blame: EndOfRunner['blame']): void {
    if (blame !== 'none') ticket.deaths += 1
    const suspect = ticket.deaths >= suspectDeaths
    if (!queue.deployment.idempotent || (suspect && blame === 'sole')) ticket.fail(replicaCrashed(ticket))
    else if (suspect) this.#suspect(ticket)
    else queue.addAgain(ticket)
  }

  #suspect(ticket: Ticket): void {
    if (this.#suspects.has(ticket)) return
    this.#suspects.add(ticket)
    ticket.onSettled(() => {
      this.#suspects.delete(ticket)
      this.#reserve(null)
      this.#prune(this.#queueOf(ticket.work))
      this.#dispatchAll()
    })
  }

  /** Gives the first suspect a replica of its own, as soon as nothing else goes on there. */
  #examine(): void {
    if (this.#suspects.size === 0) return
    const [suspect] = this.#suspects
    if (!suspect || suspect.link) return
    const queue = this.#queueOf(suspect.work)
    const failure = this.#keeper.recentFailure(queue)
    if (failure) {
      suspect.fail(failure)
      return
    }
    const link = [...queue.links].find(({ state }) => state === 'active')
    this.#reserve(link?.replica ?? null)
    if (!link) this.#keeper.want(queue)
    else if (link.replica.activities === 0) link.send([suspect], performance.now())
  }

  #reserve(replica: ReplicaProcess | null): void {
    if (this.#reserved) this.#reserved.reserved = false
    if (replica) replica.reserved = true
    this.#reserved = replica
  }

  /** Whether all that was promised is done: no caller waits and no stream runs. */
  #checkDrained(): void {
    if (!this.#drained || this.#watch.size > 0) return
    for (const link of this.pool.links) if (!link.idle) return
    this.#drained()
  }
}

function keyOf({ deployment, model }: Work): string {
  return `${deployment.id} ${model?.key ?? ''}`
}
