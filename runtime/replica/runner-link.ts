import type { AnswerStream } from './answer-stream.ts'
import type { FrameConnection } from './connection.ts'
import type { Deployment, ResolvedModel } from './deployment.ts'
import { encodeHead, frameFlags, frameKinds } from './frame.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { Ticket } from './ticket.ts'

/**
 * Where a runner stands:
 * `starting` (thread, function and model come up), `loaded` (it waits for room among the residents),
 * `active` (it takes work), `retiring` (it finishes what it has), `gone`.
 */
export type RunnerState = 'starting' | 'loaded' | 'active' | 'retiring' | 'gone'

/** A batch in a runner's hands. */
interface SentBatch {
  open: number
}

/** A request in a runner's hands. */
export interface SentRequest {
  readonly ticket: Ticket
  readonly batch: SentBatch
  /** Set once the runner streams its answer. */
  stream: AnswerStream | null
}

/** The gateway's end of one runner: its state, its connection, and what it has in hand. */
export class RunnerLink {
  readonly id: number
  /** The word by which the runner's connection is known. */
  readonly nonce: string
  readonly deployment: Deployment
  readonly model: ResolvedModel | null
  readonly replica: ReplicaProcess
  /** The key of the queue that it serves. */
  readonly queueKey: string
  readonly sent = new Map<number, SentRequest>()
  state: RunnerState = 'starting'
  /** The providers that its sessions compute on, as it reported them. */
  providers: readonly string[] = []
  /** Why sessions do not compute on the provider that was wished for, a sentence each. */
  fallbacks: readonly string[] = []
  connection: FrameConnection | null = null
  lastUsedMs: number
  #batches = 0

  constructor(facts: {
    readonly id: number
    readonly nonce: string
    readonly deployment: Deployment
    readonly model: ResolvedModel | null
    readonly replica: ReplicaProcess
    readonly queueKey: string
    readonly nowMs: number
  }) {
    this.id = facts.id
    this.nonce = facts.nonce
    this.deployment = facts.deployment
    this.model = facts.model
    this.replica = facts.replica
    this.queueKey = facts.queueKey
    this.lastUsedMs = facts.nowMs
  }

  /** Whether it has nothing in hand. */
  get idle(): boolean {
    return this.sent.size === 0
  }

  /** Batches that it can be sent now. */
  get room(): number {
    if (this.state !== 'active') return 0
    return this.deployment.concurrency + this.deployment.ahead - this.#batches
  }

  /** Whether a batch sent now would be worked on at once, rather than wait behind another. */
  get free(): boolean {
    return this.state === 'active' && this.#batches < this.deployment.concurrency
  }

  /** Sends one batch. */
  send(tickets: readonly Ticket[], nowMs: number): void {
    const batch: SentBatch = { open: tickets.length }
    this.#batches += 1
    this.lastUsedMs = nowMs
    for (const [index, ticket] of tickets.entries()) {
      ticket.link = this
      this.sent.set(ticket.id, { ticket, batch, stream: null })
      const flags = index < tickets.length - 1 ? frameFlags.more : 0
      const { head, body } = ticket.work
      this.connection?.send(frameKinds.request, ticket.id, flags, encodeHead(head, body))
    }
  }

  /** Tells the runner that nobody waits for a request any more. */
  cancel(ticketId: number): void {
    if (this.sent.has(ticketId)) this.connection?.send(frameKinds.cancel, ticketId, 0, [])
  }

  /** Lets the runner send more of a stream. */
  credit(ticketId: number, bytes: number): void {
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, bytes, true)
    this.connection?.send(frameKinds.credit, ticketId, 0, [payload])
  }

  /** Takes a request out of its hands: it has been answered. */
  close(ticketId: number, nowMs: number): SentRequest | undefined {
    const request = this.sent.get(ticketId)
    if (!request) return undefined
    this.sent.delete(ticketId)
    request.ticket.link = null
    this.lastUsedMs = nowMs
    request.batch.open -= 1
    if (request.batch.open === 0) this.#batches -= 1
    return request
  }

  /** Takes everything out of its hands: it has died. */
  abandon(): SentRequest[] {
    const requests = [...this.sent.values()]
    for (const { ticket } of requests) ticket.link = null
    this.sent.clear()
    this.#batches = 0
    return requests
  }
}
