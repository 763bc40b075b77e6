import { StreamCredit } from '../runner/stream.ts'
import type { CallHead } from './call-head.ts'
import type { frameKinds } from './frame.ts'
import type { SentRequest } from './sent-request.ts'

/** What a frame tells a runner that answers one of its calls. */
export type CallAnswerKind = (typeof frameKinds)[
  | 'callReply'
  | 'callRefusal'
  | 'callStreamStart'
  | 'callStreamChunk'
  | 'callStreamEnd']

/** A call that a function makes of another, from its frame to its answer. */
export class PendingCall {
  /** Unique on the connection of its runner. */
  readonly id: number
  /** The request whose function calls. */
  readonly parent: SentRequest
  readonly head: CallHead
  /** The bytes of the input. */
  readonly body: Uint8Array<ArrayBuffer>
  #abort: AbortController | null = null
  #credit: StreamCredit | null = null
  #cancelled = false

  constructor(id: number, parent: SentRequest, { head, body }: Pick<PendingCall, 'head' | 'body'>) {
    this.id = id
    this.parent = parent
    this.head = head
    this.body = body
  }

  /** Whether nobody waits for its answer any more. */
  get cancelled(): boolean {
    return this.#cancelled
  }

  /** Fires when nobody waits any more. It is made when it is first asked for: most calls are answered before. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#cancelled) this.#abort.abort()
    }
    return this.#abort.signal
  }

  /** The right to send the pieces of an answer that is a stream. */
  get credit(): StreamCredit {
    if (!this.#credit) {
      this.#credit = new StreamCredit()
      if (this.#cancelled) this.#credit.close()
    }
    return this.#credit
  }

  /** Nobody waits any more: the caller has gone, has its answer, or wants this one no longer. */
  cancel(): void {
    this.#cancelled = true
    this.#abort?.abort()
    this.#credit?.close()
  }
}
