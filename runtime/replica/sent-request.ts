import type { AnswerStream } from '../runner/answer-stream.ts'
import type { PendingCall } from './pending-call.ts'
import type { Ticket } from './ticket.ts'
import type { SentBatch } from './workload.ts'

/** A request in a runner's hands. */
export interface SentRequest {
  readonly ticket: Ticket
  readonly batch: SentBatch
  /** Set once the runner streams its answer. */
  stream: AnswerStream | null
  /** Runs from the moment that nobody waits for the answer any more. */
  overdue: Timer | undefined
  /** The calls of its function that have not been answered; `null` before the first. */
  calls: Set<PendingCall> | null
}
