import { randomUUID } from 'node:crypto'
import type { ResolvedModel } from '../model/resolve.ts'
import type { FrameConnection } from './connection.ts'
import type { Deployment } from './deployment.ts'
import { frameFlags, frameKinds } from './frame.ts'
import type { PayloadPart } from './frame-writer.ts'
import { IdMap } from './id-map.ts'
import type { CallAnswerKind, PendingCall } from './pending-call.ts'
import type { RequestQueue } from './queue.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { DepartureReason } from './residency-report.ts'
import type { SentRequest } from './sent-request.ts'
import type { ComputedBy, Ticket } from './ticket.ts'
import { type SentBatch, Workload } from './workload.ts'

/**
 * Where a runner stands:
 * `starting` (thread, function and model come up), `loaded` (it waits for room among the residents),
 * `active` (it takes work), `retiring` (it finishes what it has, then ends), `gone`.
 */
export type RunnerState = 'starting' | 'loaded' | 'active' | 'retiring' | 'gone'

/** The gateway's end of one runner: its state, its connection, and what it has in hand. */
export class RunnerLink {
  readonly id: number
  /** The word by which the runner's connection is known. */
  readonly nonce: string = randomUUID()
  /** The queue that it serves. */
  readonly queue: RequestQueue
  readonly replica: ReplicaProcess
  readonly sent: IdMap<SentRequest> = new IdMap()
  /** The calls that its requests make, by their ids, until they are answered. */
  readonly calls: IdMap<PendingCall> = new IdMap()
  /** How much it has in hand. */
  readonly workload: Workload
  state: RunnerState = 'starting'
  /** Whether the gateway has ended it by force, so that whatever else ends with it is not the reason. */
  terminated = false
  /** Whether the scheduler has heard of it in this turn of the loop. */
  heard = false
  /** Whether its thread has ended; what it sent before may still have to be read. */
  ended = false
  /** The providers that its sessions compute on, as it reported them. */
  providers: readonly string[] = []
  /** What its answers say of who made them; `null` for a function without a model. */
  computedBy: ComputedBy | null = null
  /** Why sessions do not compute on the provider that was wished for, a sentence each. */
  fallbacks: readonly string[] = []
  readonly startedMs: number = performance.now()
  lastUsedMs: number = this.startedMs
  /** When it began to take requests; `null` before. */
  activeMs: number | null = null
  /** How long it took to come up, in milliseconds; `null` before it has. */
  loadMs: number | null = null
  /** What its model counts for: its files, and what its process grew by once it is up, if that is more. */
  bytes: number
  /** Whether no other load has run in its replica beside its own. */
  loadedAlone = true
  /** For whom it was loaded. */
  principal = ''
  /** Requests that it has answered. */
  requests = 0
  /** Why it leaves, where the gateway wants it to. */
  departure: DepartureReason | null = null
  #connection: FrameConnection | null = null
  #stopping = false
  readonly #gone = Promise.withResolvers<void>()
  #timer: Timer | undefined

  constructor(id: number, queue: RequestQueue, replica: ReplicaProcess) {
    this.id = id
    this.queue = queue
    this.replica = replica
    this.bytes = queue.model?.bytes ?? 0
    this.workload = new Workload(queue.deployment, this.startedMs)
  }

  get deployment(): Deployment {
    return this.queue.deployment
  }

  get model(): ResolvedModel | null {
    return this.queue.model
  }

  /** Resolves when it has left its replica. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Whether its connection is open. */
  get connected(): boolean {
    return this.#connection !== null
  }

  /** Whether it has nothing in hand. */
  get idle(): boolean {
    return this.sent.size === 0
  }

  /** Whether one of its answers is a stream that has begun. */
  get streaming(): boolean {
    for (const { stream } of this.sent.values()) if (stream) return true
    return false
  }

  /**
   * Whether its place is lent to what is called: a batch of it waits for calls, or streams its answer to a caller who may
   * wait for something else first.
   */
  get lends(): boolean {
    if (this.workload.lends) return true
    for (const { stream, ticket } of this.sent.values()) if (stream && ticket.work.parent) return true
    return false
  }

  /**
   * How many things go on in it that may end it: requests without an answer, and its own coming up or going.
   * Streams do not count: they may last for ever, and what waits for quiet would.
   */
  get activities(): number {
    const comesOrGoes = this.state === 'starting' || (this.state === 'retiring' && this.idle)
    let count = comesOrGoes ? 1 : 0
    for (const { stream } of this.sent.values()) if (!stream) count += 1
    return count
  }

  /**
   * How long it may take to free its model and its function's state, in milliseconds: half of what a request has, so
   * that one that waits for its place is answered all the same.
   */
  get takedownMs(): number {
    return this.deployment.timeoutMs / 2
  }

  /** Batches that it can be sent now. */
  get room(): number {
    return this.#open ? this.workload.room : 0
  }

  /** Whether a batch sent now would be worked on at once, rather than wait behind another. */
  get free(): boolean {
    return this.#open && this.workload.free
  }

  get #open(): boolean {
    return this.state === 'active' && this.#connection !== null
  }

  /** Takes the connection that the runner has opened. */
  connect(connection: FrameConnection): void {
    this.#connection = connection
    if (this.#stopping) this.#send(frameKinds.stop, 0)
  }

  /** Its connection has closed: nothing more will come. */
  disconnect(): void {
    this.#connection = null
  }

  /** Sends one batch; it leaves with the next {@link flush}. */
  send(tickets: readonly Ticket[], nowMs: number): void {
    const batch = this.workload.add(tickets.length, nowMs)
    const last = tickets.length - 1
    this.lastUsedMs = nowMs
    for (let index = 0; index <= last; index += 1) {
      const ticket = tickets[index]
      if (!ticket) continue
      ticket.sentTo(this, tickets.length, nowMs)
      this.sent.set(ticket.id, { ticket, batch, stream: null, overdue: undefined, calls: null })
      const flags = index < last ? frameFlags.more : 0
      const { head, body } = ticket.work
      this.#connection?.addWithHead(frameKinds.request, ticket.id, flags, JSON.stringify(head), body)
    }
  }

  /** Has the batches leave that were sent. */
  flush(): void {
    this.#connection?.flush()
  }

  /** Tells the runner that nobody waits for a request any more; `overdue` is called if it does not let go. */
  cancel(ticketId: number, graceMs: number, overdue: () => void): void {
    const request = this.sent.get(ticketId)
    if (!request) return
    this.#send(frameKinds.cancel, ticketId)
    clearTimeout(request.overdue)
    request.overdue = setTimeout(overdue, graceMs)
    cancelCalls(request)
  }

  /** A request in its hands makes a call: until that is answered, the request's batch takes up no place. */
  beginCall(call: PendingCall, nowMs: number): void {
    const { parent } = call
    this.calls.set(call.id, call)
    parent.calls ??= new Set()
    parent.calls.add(call)
    this.workload.callBegan(parent.batch, nowMs)
  }

  /** A call was answered, or nobody waits for it any more. */
  endCall(call: PendingCall, nowMs: number): void {
    if (!call.parent.calls?.delete(call)) return
    this.calls.delete(call.id)
    this.workload.callEnded(call.parent.batch, nowMs)
  }

  /** Answers a call, or a part of it. */
  answerCall(kind: CallAnswerKind, callId: number, flags: number, payload: readonly PayloadPart[]): void {
    this.#connection?.send(kind, callId, flags, payload)
  }

  /** Lets the runner send more of a stream. */
  credit(ticketId: number, bytes: number): void {
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, bytes, true)
    this.#send(frameKinds.credit, ticketId, [payload])
  }

  /** Tells the runner to finish and to end, as soon as it is connected. */
  stop(): void {
    if (!this.#stopping) this.#send(frameKinds.stop, 0)
    this.#stopping = true
  }

  /** Sets the one thing that happens unless the runner goes on in time: it replaces what was set before. */
  within(timeoutMs: number, act: () => void): void {
    this.inTime()
    this.#timer = setTimeout(act, timeoutMs).unref()
  }

  /** The runner went on in time. */
  inTime(): void {
    clearTimeout(this.#timer)
  }

  /** Takes a request out of its hands: it has been answered. */
  close(ticketId: number, nowMs: number): SentRequest | undefined {
    const request = this.sent.get(ticketId)
    if (!request) return undefined
    this.sent.delete(ticketId)
    if (request.overdue) clearTimeout(request.overdue)
    request.ticket.link = null
    this.lastUsedMs = nowMs
    this.requests += 1
    this.#endCalls(request, nowMs)
    request.batch.open -= 1
    if (request.batch.open === 0) this.#closeBatch(request.batch, nowMs)
    return request
  }

  /** It has left its replica. */
  end(): void {
    // That of another machine may not have been seen to close.
    this.#connection?.terminate()
    this.#gone.resolve()
  }

  /** Takes everything out of its hands: it has died. */
  abandon(): SentRequest[] {
    const requests = [...this.sent.values()]
    for (const request of requests) {
      clearTimeout(request.overdue)
      request.ticket.link = null
      cancelCalls(request)
      request.calls = null
    }
    this.sent.clear()
    this.calls.clear()
    this.workload.clear()
    return requests
  }

  /** What a function that has answered has called is for nobody any more. */
  #endCalls(request: SentRequest, nowMs: number): void {
    cancelCalls(request)
    for (const call of request.calls ?? []) this.endCall(call, nowMs)
  }

  #closeBatch(batch: SentBatch, nowMs: number): void {
    let atOnce = 0
    for (const link of this.queue.links) atOnce += link.workload.batches
    this.queue.pace.add(nowMs - batch.sentMs, batch.size, Math.max(1, atOnce))
    this.workload.end(batch, nowMs, { pressing: this.queue.length > 0 })
  }

  #send(
    kind: (typeof frameKinds)['cancel' | 'credit' | 'stop'],
    id: number,
    payload: readonly Uint8Array[] = [],
  ): void {
    this.#connection?.send(kind, id, 0, payload)
  }
}

function cancelCalls({ calls }: SentRequest): void {
  if (calls) for (const call of calls) call.cancel()
}
