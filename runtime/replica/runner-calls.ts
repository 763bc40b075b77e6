import { IsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import { AnswerStream } from '../runner/answer-stream.ts'
import type { CallAnswer, CallFollower, CallTransport, OutgoingCall } from '../runner/call-transport.ts'
import { jsonReplyHead, type ReplyHead } from '../runner/head.ts'
import type { CallHead } from './call-head.ts'
import { decodeHead, decodeJson, encodeHead, type Frame, frameFlags, frameKinds } from './frame.ts'
import type { FrameSend } from './frame-sink.ts'

/** What a runner sends its calls by. */
export interface RunnerCallsOptions {
  readonly send: FrameSend
}

interface OpenCall {
  readonly answered: PromiseWithResolvers<CallAnswer>
  readonly end: () => void
  stream: AnswerStream | null
}

/** The ids of frames have 32 bits, and 0 is the runner itself. */
const lastCallId = 0xffff_ffff

/**
 * The calls that a runner's function has under way to others: they go to the gateway on the runner's own connection, and
 * their answers come back there, in any order.
 */
export class RunnerCalls implements CallTransport {
  readonly #send: FrameSend
  readonly #open = new Map<number, OpenCall>()
  #lastId = 0

  constructor({ send }: RunnerCallsOptions) {
    this.#send = send
  }

  /** As {@link CallTransport.call}. */
  call({ body, ...head }: OutgoingCall, { signal, ended }: CallFollower): Promise<CallAnswer> {
    const id = this.#freshId()
    const answered = Promise.withResolvers<CallAnswer>()
    const cancel = (): void => {
      const { stream } = this.#take(id) ?? {}
      this.#send(frameKinds.callCancel, id, 0, [], 0)
      answered.reject(signal.reason)
      stream?.end(signal.reason)
    }
    const end = (): void => {
      signal.removeEventListener('abort', cancel)
      ended()
    }
    try {
      signal.throwIfAborted()
      this.#send(frameKinds.call, id, 0, encodeHead(head satisfies CallHead, body), 0)
    } catch (error) {
      end()
      return Promise.reject(error)
    }
    signal.addEventListener('abort', cancel)
    this.#open.set(id, { answered, end, stream: null })
    return answered.promise
  }

  /** Takes a frame of the gateway; `false` where it is not about a call. One that is answered already is left aside. */
  receive({ kind, id, flags, payload }: Frame): boolean {
    if (kind < frameKinds.callReply || kind > frameKinds.callStreamEnd) return false
    const call = this.#open.get(id)
    if (!call) return true
    if (kind === frameKinds.callStreamStart) this.#startStream(id, call, decodeJson<ReplyHead>(payload))
    else if (kind === frameKinds.callStreamChunk) call.stream?.push(payload)
    else {
      this.#take(id)
      if (kind === frameKinds.callReply) call.answered.resolve(wholeAnswer(flags, payload))
      else if (kind === frameKinds.callRefusal) call.answered.reject(fromWire(decodeJson<WireError>(payload)))
      else call.stream?.end(flags & frameFlags.streamBroken ? brokenOff() : undefined)
    }
    return true
  }

  #startStream(id: number, call: OpenCall, { status, headers }: ReplyHead): void {
    const credit = new Uint8Array(4)
    call.stream = new AnswerStream(
      (bytes) => {
        new DataView(credit.buffer).setUint32(0, bytes, true)
        this.#send(frameKinds.callCredit, id, 0, [credit.slice()], 0)
      },
      () => {
        if (this.#take(id)) this.#send(frameKinds.callCancel, id, 0, [], 0)
      },
    )
    call.answered.resolve({ status, headers, body: call.stream.readable })
  }

  /** Takes a call out that is under way no longer. */
  #take(id: number): OpenCall | undefined {
    const call = this.#open.get(id)
    this.#open.delete(id)
    call?.end()
    return call
  }

  #freshId(): number {
    do this.#lastId = this.#lastId === lastCallId ? 1 : this.#lastId + 1
    while (this.#open.has(this.#lastId))
    return this.#lastId
  }
}

function wholeAnswer(flags: number, payload: Uint8Array<ArrayBuffer>): CallAnswer {
  if (flags & frameFlags.json) return { ...jsonReplyHead, body: payload }
  const { head, body } = decodeHead<ReplyHead>(payload)
  return { ...head, body }
}

function brokenOff(): IsoplexError<'FETCH_FAILED'> {
  const message = 'The stream of the function that was called broke off before its end; call it again.'
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'cut-off' } })
}
