import type { FunctionLog } from '../define/context.ts'
import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import { assertDepth, maxCallsUnderWay } from '../runner/calling-request.ts'
import { jsonReplyHead, type RequestHead } from '../runner/head.ts'
import { chunksUntil, pumpStream } from '../runner/stream.ts'
import { readCall } from './call-head.ts'
import type { CallTarget, CallTargets } from './call-target.ts'
import type { Caller } from './caller.ts'
import { callerGone, functionNotFound, parentGone } from './failure.ts'
import { encodeHead, encodeJson, type Frame, frameFlags, frameKinds, readUint32 } from './frame.ts'
import { PendingCall } from './pending-call.ts'
import type { RunnerLink } from './runner-link.ts'
import type { Tallies } from './tallies.ts'
import type { Answer, Work } from './ticket.ts'

/** Answers a request: as `Scheduler.submit`. */
export type Submit = (work: Work) => Promise<Answer>

/** What a desk works with. */
export interface CallDeskOptions {
  readonly tallies: Pick<Tallies, 'call'>
  readonly log: FunctionLog
  /** A call of a runner has begun or has ended: more may go to the runner, or it must have one of its places back. */
  readonly changed: (link: RunnerLink) => void
}

/** Tensors and files come as their bytes, streams as lines. */
const acceptedForms = 'multipart/form-data, application/octet-stream, application/x-ndjson'
const noHeaders: RequestHead['headers'] = Object.freeze([])

/**
 * Takes the calls that functions make of each other, and brings them to the scheduler as requests of whoever asked the
 * caller: the same principal, token and request id, for as long as that one waits. No call of a request outlives it.
 */
export class CallDesk {
  readonly #options: CallDeskOptions
  #open: { readonly targets: CallTargets; readonly submit: Submit } | null = null

  constructor(options: CallDeskOptions) {
    this.#options = options
  }

  /** Names who knows the functions that can be called, and who answers; before, there are none. */
  open(targets: CallTargets, submit: Submit): void {
    this.#open = { targets, submit }
  }

  /** Takes a frame of a runner. Whether it was about a call that the runner makes. */
  receive(link: RunnerLink, { kind, id, payload }: Frame): boolean {
    if (kind === frameKinds.call) this.#take(link, id, payload)
    else if (kind === frameKinds.callCancel) this.#cancel(link, id)
    else if (kind === frameKinds.callCredit) link.calls.get(id)?.credit.add(readUint32(payload, 0))
    else return false
    return true
  }

  #take(link: RunnerLink, id: number, payload: Uint8Array<ArrayBuffer>): void {
    try {
      const call = toCall(link, id, payload)
      link.beginCall(call, performance.now())
      this.#options.changed(link)
      void this.#answer(link, call)
    } catch (error) {
      // What a function has said wrongly is its own to hear of: its neighbours in the runner go on.
      refuse(link, id, error)
    }
  }

  #cancel(link: RunnerLink, id: number): void {
    const call = link.calls.get(id)
    if (!call) return
    call.cancel()
    this.#end(link, call)
  }

  /** Never rejects. */
  async #answer(link: RunnerLink, call: PendingCall): Promise<void> {
    const tally = this.#options.tallies.call(link.deployment.name, call.head.function)
    try {
      const { body, status, headers } = await this.#submit(link, call)
      tally.successes += 1
      if (body instanceof ReadableStream) {
        const start = encodeJson({ status, headers })
        link.answerCall(frameKinds.callStreamStart, call.id, 0, [start])
        await this.#stream(link, call, body)
        return
      }
      this.#end(link, call)
      const plain = headers === jsonReplyHead.headers && status === jsonReplyHead.status
      const payload = plain ? [body] : [...encodeHead({ status, headers }), body]
      link.answerCall(frameKinds.callReply, call.id, plain ? frameFlags.json : 0, payload)
    } catch (error) {
      tally.failures.add(isIsoplexError(error) ? error.code : 'INTERNAL')
      this.#logFailure(link, call, error)
      this.#end(link, call)
      refuse(link, call.id, error)
    }
  }

  async #submit(link: RunnerLink, call: PendingCall): Promise<Answer> {
    const { head } = call
    const caller = callerOf(link, call)
    assertDepth(caller.chain, head.function)
    if (!this.#open) throw functionNotFound(head.function)
    const { targets, submit } = this.#open
    const target = await targets.find({ from: link.deployment, caller, head })
    if (call.cancelled) throw callerGone()
    return await submit(workOf(call, caller, target))
  }

  async #stream(link: RunnerLink, call: PendingCall, body: ReadableStream<Uint8Array>): Promise<void> {
    const send = (piece: Uint8Array): void => link.answerCall(frameKinds.callStreamChunk, call.id, 0, [piece])
    // That it broke off is all that is known of a stream that fails; who made it has logged why.
    const whole = await pumpStream(chunksUntil(body, call.signal), call.credit, send).catch(() => false)
    this.#end(link, call)
    link.answerCall(frameKinds.callStreamEnd, call.id, whole ? 0 : frameFlags.streamBroken, [])
  }

  #end(link: RunnerLink, call: PendingCall): void {
    link.endCall(call, performance.now())
    this.#options.changed(link)
  }

  /** What is ours has been logged where it happened, if it belongs into a log. */
  #logFailure({ deployment }: RunnerLink, { parent, head }: PendingCall, error: unknown): void {
    if (isIsoplexError(error)) return
    const { requestId } = parent.ticket.work.head
    this.#options.log.error('A call failed', {
      requestId,
      function: deployment.name,
      called: head.function,
      error,
    })
  }
}

/** @throws {Error} where it is no call, or one that no runner of ours makes, or is made for nobody. */
function toCall(link: RunnerLink, id: number, payload: Uint8Array<ArrayBuffer>): PendingCall {
  const { head, body } = readCall(payload)
  const parent = link.sent.get(head.parent)
  // From the moment that nobody waits for a request, its runner is only asked to let go of it.
  if (!parent || parent.overdue !== undefined) throw parentGone(head)
  if (id === 0 || link.calls.has(id)) throw new RangeError(`A call needs an id of its own; ${id} is none.`)
  // A runner of ours has further calls wait for their turn.
  if ((parent.calls?.size ?? 0) >= maxCallsUnderWay) throw new RangeError('The request makes too many calls.')
  return new PendingCall(id, parent, { head, body })
}

function callerOf({ deployment }: RunnerLink, { parent, head }: PendingCall): Caller {
  const { credentials, stickyKey, chain } = parent.ticket.work.caller
  return { credentials, stickyKey, chain: [...chain, deployment.name, ...head.through] }
}

/** The callee sees what it would over HTTP. */
function workOf(call: PendingCall, caller: Caller, target: CallTarget): Work {
  const { head, body, parent } = call
  const { deployment, model, method, url } = target
  const { requestId, principal } = parent.ticket.work.head
  const { params, contentType, timeoutMs, model: wished } = head
  const named = wished === null ? {} : { modelNamed: true }
  const accept = acceptedForms
  return {
    deployment,
    model,
    head: {
      requestId,
      principal,
      method,
      url,
      params,
      contentType,
      accept,
      headers: noHeaders,
      callers: caller.chain,
      ...named,
    },
    body,
    caller,
    parent: parent.ticket,
    // The time that the parent has left counts by itself: with the parent, its calls end.
    ...(timeoutMs !== null && timeoutMs < deployment.timeoutMs ? { timeoutMs: Math.max(0, timeoutMs) } : {}),
    get signal() {
      return call.signal
    },
  }
}

function refuse(link: RunnerLink, callId: number, error: unknown): void {
  link.answerCall(frameKinds.callRefusal, callId, 0, [encodeJson(toWire(error))])
}
