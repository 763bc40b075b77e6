import type { FunctionLog } from '../define/context.ts'
import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import type { Encoder, Reply } from './encoder.ts'
import { encodeHead, encodeJson, type FrameKind, frameFlags, frameKinds } from './frame.ts'
import type { RequestHead } from './message.ts'
import { pumpStream, StreamCredit } from './stream.ts'

/** A request as its frame brought it. */
export interface ArrivedRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
}

/** What the requests of one runner share. */
export interface ReplyOptions {
  /** The function's name. */
  readonly name: string
  readonly encode: Encoder
  readonly log: FunctionLog
  readonly send: (kind: FrameKind, id: number, flags: number, payload: readonly Uint8Array[]) => void
  /** Is told of each request once, when it has been answered. */
  readonly closed: (request: OpenRequest) => void
}

/** A request in a runner's hands, from its arrival to its answer. */
export class OpenRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  readonly #options: ReplyOptions
  readonly #abort = new AbortController()
  readonly #credit = new StreamCredit()
  #answered = false

  constructor({ id, head, body }: ArrivedRequest, options: ReplyOptions) {
    this.id = id
    this.head = head
    this.body = body
    this.#options = options
  }

  /** Fires when the caller has gone. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Whether nobody waits for an answer any more: the caller has gone, or has had it. */
  get abandoned(): boolean {
    return this.#answered || this.#abort.signal.aborted
  }

  /** To be called when the caller has gone. */
  cancel(): void {
    this.#abort.abort(callerGone())
    this.#credit.close()
  }

  /** Lets more of a stream be sent. */
  addCredit(bytes: number): void {
    this.#credit.add(bytes)
  }

  /** Answers with what the function returned; resolves once it is sent, be it a stream. Never rejects. */
  async reply(outcome: unknown): Promise<void> {
    try {
      if (outcome instanceof Error) throw outcome
      const reply = this.#options.encode(outcome, this.head)
      if (reply.body instanceof Uint8Array) {
        this.#send(frameKinds.reply, 0, encodeHead(reply.head, reply.body))
        this.#close()
      } else {
        await this.#stream(reply, reply.body)
      }
    } catch (error) {
      this.refuse(error)
    }
  }

  /** Answers with an error. */
  refuse(error: unknown): void {
    this.#logFailure(error)
    this.#send(frameKinds.refusal, 0, [encodeJson(toWire(error))])
    this.#close()
  }

  async #stream(reply: Reply, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#send(frameKinds.streamStart, 0, [encodeJson(reply.head)])
    const send = (piece: Uint8Array): void => this.#send(frameKinds.streamChunk, 0, [piece])
    let flags: number = frameFlags.streamBroken
    try {
      if (await pumpStream(chunks, this.#credit, send)) flags = 0
    } catch (error) {
      this.#logFailure(error)
      if (reply.lastWords) {
        // It is the last piece, so nobody gives credit for another.
        send(reply.lastWords(error))
        flags = 0
      }
    }
    this.#send(frameKinds.streamEnd, flags, [])
    this.#close()
  }

  /** What a caller is not shown must be found in the log. */
  #logFailure(error: unknown): void {
    if (this.#abort.signal.aborted || (isIsoplexError(error) && error.status < 500)) return
    const { name, log } = this.#options
    log.error('A function failed', { function: name, requestId: this.head.requestId, error })
  }

  #send(kind: FrameKind, flags: number, payload: readonly Uint8Array[]): void {
    this.#options.send(kind, this.id, flags, payload)
  }

  #close(): void {
    this.#answered = true
    this.#options.closed(this)
  }
}

/** Why a signal fires whose caller has gone. */
export function callerGone(): DOMException {
  return new DOMException('The caller has gone.', 'AbortError')
}
