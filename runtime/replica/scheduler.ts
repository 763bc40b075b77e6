import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { breakStream, deliver } from './delivery.ts'
import { type KeeperOptions, RunnerKeeper } from './keeper.ts'
import type { ReplicaPool } from './pool.ts'
import { RequestQueue } from './queue.ts'
import type { RunnerLink, SentRequest } from './runner-link.ts'
import { type Answer, Ticket, type Work } from './ticket.ts'

/** How requests are queued and runners kept. */
export interface SchedulerOptions extends KeeperOptions {
  /** The most requests that wait for one model of one function; more are refused with `QUEUE_FULL`. */
  readonly maxQueuedRequests: number
}

/** How long a runner may go on with a request after its deadline before it is ended. */
const overdueGraceMs = 1_000
/** How often a request is given to a runner, at the most: once, and once more after a death. */
const maxTries = 2

/**
 * Brings requests to runners: a queue for each model of each deployment, batches sent to whoever is free.
 * A batch never mixes models. A request in the hands of a runner that dies runs again once, by itself.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #keeper: RunnerKeeper
  readonly #queues = new Map<string, RequestQueue>()
  #nextTicket = 1
  #waitingCallers = 0
  #draining = false
  #drained: (() => void) | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#keeper = new RunnerKeeper(options, {
      changed: (queue) => (queue ? this.#dispatch(queue) : this.#dispatchAll()),
      frame: (link, queue, frame) => {
        deliver(link, frame, () => this.#cancel(link, frame.id, link.deployment.timeoutMs))
        this.#dispatch(queue)
        this.#keeper.settle(link)
        this.#checkDrained()
      },
      ended: (link, queue) => this.#ended(link, queue),
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
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const ticket = new Ticket(this.#nextTicket, work, performance.now(), resolve, reject)
      this.#nextTicket = (this.#nextTicket % 0xffff_ffff) + 1
      this.#watch(ticket)
      queue.add(ticket)
      if (work.signal.aborted) ticket.fail(callerGone())
      this.#dispatch(queue)
    })
  }

  /** Names the deployments that are current: runners of others finish what they have and go. */
  setCurrent(deploymentIds: ReadonlySet<string>): void {
    this.#keeper.setCurrent(deploymentIds)
  }

  /** Refuses new requests, finishes those at hand, and ends every replica; by force after the time given. */
  async close(timeoutMs: number): Promise<void> {
    this.#draining = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    this.#checkDrained()
    const timer = setTimeout(resolve, timeoutMs)
    await promise
    clearTimeout(timer)
    for (const queue of this.#queues.values()) queue.failAll(draining())
    await this.#keeper.close(timeoutMs)
  }

  #refusal(queue: RequestQueue): AnyIsoplexError | undefined {
    if (this.#draining) return draining()
    if (queue.length >= this.#options.maxQueuedRequests) return queueFull(queue)
    return this.#keeper.recentFailure(queue)
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
    this.#waitingCallers += 1
    ticket.onSettled(() => {
      clearTimeout(overdue)
      signal.removeEventListener('abort', left)
      this.#waitingCallers -= 1
    })
  }

  /** Answers with an error; a runner that has the request in hand is told to let go of it. */
  #giveUp(ticket: Ticket, error: AnyIsoplexError, graceMs: number): void {
    ticket.fail(error)
    if (ticket.link) this.#cancel(ticket.link, ticket.id, graceMs)
    this.#checkDrained()
  }

  /** Tells a runner that nobody waits for a request, and ends the runner where it will not let go. */
  #cancel(link: RunnerLink, ticketId: number, graceMs: number): void {
    link.cancel(ticketId)
    setTimeout(() => {
      if (link.sent.has(ticketId)) this.#keeper.terminate(link, 'it does not let go of a request')
    }, graceMs).unref()
  }

  #queueOf({ deployment, model }: Work): RequestQueue {
    const key = `${deployment.id} ${model?.key ?? ''}`
    const known = this.#queues.get(key)
    if (known) return known
    const queue = new RequestQueue(key, deployment, model)
    this.#queues.set(key, queue)
    return queue
  }

  #dispatch(queue: RequestQueue): void {
    const nowMs = performance.now()
    while (queue.length > 0) {
      const link = this.#runnerFor(queue, nowMs)
      if (!link) break
      link.send(queue.take(), nowMs)
    }
    if (queue.length > 0) this.#keeper.want(queue)
    else if (queue.links.size === 0) this.#queues.delete(queue.key)
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

  #ended(link: RunnerLink, queue: RequestQueue): void {
    for (const sent of link.abandon()) this.#runAgain(sent, queue)
    this.#dispatch(queue)
    this.#checkDrained()
  }

  #runAgain(sent: SentRequest, queue: RequestQueue): void {
    const { ticket } = sent
    breakStream(sent)
    if (ticket.settled) return
    ticket.deaths += 1
    if (queue.deployment.idempotent && ticket.deaths < maxTries && !this.#draining) queue.addAgain(ticket)
    else ticket.fail(replicaCrashed(ticket))
  }

  /** Whether all that was promised is done: no caller waits and no stream runs. */
  #checkDrained(): void {
    if (!this.#drained || this.#waitingCallers > 0) return
    for (const link of this.pool.links) if (!link.idle) return
    this.#drained()
  }
}

function queueFull({ length, deployment }: RequestQueue): AnyIsoplexError {
  return new IsoplexError(
    'QUEUE_FULL',
    `${length} requests wait for "${deployment.name}" already; try again soon.`,
    {
      details: { retryAfterMs: 1_000 },
    },
  )
}

function draining(): AnyIsoplexError {
  return new IsoplexError(
    'DRAINING',
    'This server is stopping; send the request to another, or again soon.',
    {
      details: { retryAfterMs: 1_000 },
    },
  )
}

function deadlineExceeded({ work }: Ticket): AnyIsoplexError {
  const { name, timeoutMs } = work.deployment
  return new IsoplexError('DEADLINE_EXCEEDED', `"${name}" gave no answer within ${timeoutMs} ms.`)
}

function callerGone(): AnyIsoplexError {
  return new IsoplexError('CANCELLED', 'The caller went away before the answer.')
}

function replicaCrashed({ work, deaths }: Ticket): AnyIsoplexError {
  const again = work.deployment.idempotent ? `It was tried ${deaths} times` : 'It is not to be run twice'
  return new IsoplexError(
    'REPLICA_CRASHED',
    `The replica died while "${work.deployment.name}" worked on this request. ${again}.`,
  )
}
