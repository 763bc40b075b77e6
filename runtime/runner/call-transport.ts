import type { ReplyHead } from './head.ts'

/** A call of a function that another runner answers. */
export interface OutgoingCall {
  /** The id of the request, in the runner's hands, that the caller answers; 0 where it answers none. */
  readonly parent: number
  /** The functions beside the one that answers the request, each called by the one before, of which the last calls. */
  readonly through: readonly string[]
  /** The name of the function that is called. */
  readonly function: string
  /** The model that is to answer; `null` leaves it to the caller's token, then to the function. */
  readonly model: string | null
  /** The deployment that is to answer; `null` is the function's own. */
  readonly deployment: string | null
  /** How long it may take, in milliseconds; `null` until the caller's own deadline. */
  readonly timeoutMs: number | null
  readonly params: Readonly<Record<string, string>>
  /** The query as a URL has it, without its question mark; empty for none. */
  readonly query: string
  /** The media type of the input's bytes; `null` where there is no input. */
  readonly contentType: string | null
  /** The input's bytes. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** What answers a call: whole, or as a stream, of which no more is sent than is read. */
export interface CallAnswer extends ReplyHead {
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
}

/** Who follows a call on its way. */
export interface CallFollower {
  /** Fires when nobody wants the answer any more: the call is cancelled, and its stream fails. */
  readonly signal: AbortSignal
  /** Is told once when the call is under way no longer: it was answered to the end of its stream, refused or cancelled. */
  readonly ended: () => void
}

/** Takes calls to other runners. */
export interface CallTransport {
  /** Has a call answered. Rejects with the error that answers it, or the reason of the signal. */
  call(call: OutgoingCall, follower: CallFollower): Promise<CallAnswer>
}
