import type { ResolvedModel } from '../../runtime/model/resolve.ts'
import type { Caller } from '../../runtime/replica/caller.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { RequestQueue } from '../../runtime/replica/queue.ts'
import { Tallies } from '../../runtime/replica/tallies.ts'
import { Ticket, type Work } from '../../runtime/replica/ticket.ts'
import { headOf } from './request-head.ts'

/** A caller that nothing is known of. */
export const unknownCaller: Caller = Object.freeze({
  credentials: null,
  stickyKey: null,
  chain: Object.freeze([]),
})

/** A deployment with what a test cares for. */
export function deploymentOf(facts: Partial<Deployment> = {}): Deployment {
  return {
    id: 'digits@bundle',
    name: 'digits',
    functionName: facts.name ?? 'digits',
    bundlePath: '/bundles/digits.js',
    batch: { maxSize: 3, maxDelayMs: 10, maxBytes: 1_048_576 },
    concurrency: 1,
    ahead: 1,
    maxInReplica: 3,
    options: {},
    session: {},
    group: null,
    idempotent: true,
    calls: [],
    apart: [],
    timeoutMs: 1_000,
    ...facts,
  }
}

/** A queue of a deployment. */
export function makeQueue(
  deployment: Deployment,
  model: ResolvedModel | null = null,
  key = `${deployment.id} ${model?.key ?? ''}`,
): RequestQueue {
  const tally = new Tallies().model(deployment.name, model?.info ?? null)
  return new RequestQueue(key, { deployment, model, tally })
}

/** A request as it is handed to the scheduler, with what a test cares for. */
export function workOf(facts: Partial<Work> = {}): Work {
  return {
    deployment: deploymentOf(),
    model: null,
    head: headOf(),
    body: new Uint8Array(),
    signal: new AbortController().signal,
    caller: unknownCaller,
    ...facts,
  }
}

/** A ticket, and what its caller was told. */
export interface WatchedTicket {
  readonly ticket: Ticket
  readonly answers: unknown[]
  readonly errors: unknown[]
}

/** Makes a ticket that arrives at a time of the test's own clock. */
export function ticketAt(arrivedMs: number, id = arrivedMs, work: Work = workOf()): WatchedTicket {
  const answers: unknown[] = []
  const errors: unknown[] = []
  const ticket = new Ticket(
    id,
    work,
    arrivedMs,
    (answer) => answers.push(answer),
    (error) => errors.push(error),
  )
  return { ticket, answers, errors }
}
