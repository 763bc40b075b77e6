import type { FunctionLog } from '../define/context.ts'
import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import type { Encoder, Reply } from '../runner/encoder.ts'
import { jsonReplyHead, type RequestHead } from '../runner/head.ts'
import { encodeHead, encodeJson, type FrameKind, frameFlags, frameKinds } from './frame.ts'
import type { PayloadPart } from './frame-writer.ts'
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
  readonly send: (
    kind: FrameKind,
    id: number,
    flags: number,
    payload: readonly PayloadPart[],
    tookUs: number,
  ) => void
  /** Is told of each request once, when it has been answered. */
  readonly closed: (request: OpenRequest) => void
}

/** The longest time that a frame can say. */
const mostTookUs = 0xffff_ffff

/** A request in a runner's hands, from its arrival to its answer. */
export class OpenRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  readonly #options: ReplyOptions
  #abort: AbortController | null = null
  #credit: StreamCredit | null = null
  #cancelled = false
  #answered = false
  #tookUs = 0

  constructor({ id, head, body }: ArrivedRequest, options: ReplyOptions) {
    this.id = id
    this.head = head
    this.body = body
    this.#options = options
  }

  /** Fires when the caller has gone. It is made when it is first asked for: most functions never look at it. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#cancelled) this.#abort.abort(callerGone())
    }
    return this.#abort.signal
  }

  /** Whether the caller has gone. */
  get cancelled(): boolean {
    return this.#cancelled
  }

  /** Whether nobody waits for an answer any more: the caller has gone, or has had it. */
  get abandoned(): boolean {
    return this.#answered || this.#cancelled
  }

  /** To be called when the caller has gone. */
  cancel(): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#abort?.abort(callerGone())
    this.#credit?.close()
  }

  /** Lets more of a stream be sent. */
  addCredit(bytes: number): void {
    this.#credit?.add(bytes)
  }

  /** Notes how long the function took, for the answer to say. */
  took(microseconds: number): void {
    this.#tookUs = Math.min(Math.round(microseconds), mostTookUs)
  }

  /** Answers with what the function returned: at once, or for a stream as it resolves. Never throws or rejects. */
  reply(outcome: unknown): Promise<void> | undefined {
    try {
      if (outcome instanceof Error) throw outcome
      const { head, body, lastWords } = this.#options.encode(outcome, this.head)
      if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
        return this.#stream(head, body, lastWords)
      }
      if (head === jsonReplyHead) this.#send(frameKinds.reply, frameFlags.json, [body])
      else this.#send(frameKinds.reply, 0, [...encodeHead(head), body])
      this.#close()
    } catch (error) {
      this.refuse(error)
    }
    return undefined
  }

  /** Answers with an error. */
  refuse(error: unknown): void {
    this.#logFailure(error)
    this.#send(frameKinds.refusal, 0, [encodeJson(toWire(error))])
    this.#close()
  }

  async #stream(
    head: Reply['head'],
    chunks: AsyncIterable<Uint8Array>,
    lastWords: Reply['lastWords'],
  ): Promise<void> {
    const credit = new StreamCredit()
    this.#credit = credit
    if (this.#cancelled) credit.close()
    this.#send(frameKinds.streamStart, 0, [encodeJson(head)])
    const send = (piece: Uint8Array): void => this.#send(frameKinds.streamChunk, 0, [piece])
    let flags: number = frameFlags.streamBroken
    try {
      if (await pumpStream(chunks, credit, send)) flags = 0
    } catch (error) {
      this.#logFailure(error)
      if (lastWords) {
        // It is the last piece, so nobody gives credit for another.
        send(lastWords(error))
        flags = 0
      }
    }
    this.#send(frameKinds.streamEnd, flags, [])
    this.#close()
  }

  /** What a caller is not shown must be found in the log. */
  #logFailure(error: unknown): void {
    if (this.#cancelled || (isIsoplexError(error) && error.status < 500)) return
    const { name, log } = this.#options
    log.error('A function failed', { function: name, requestId: this.head.requestId, error })
  }

  #send(kind: FrameKind, flags: number, payload: readonly PayloadPart[]): void {
    this.#options.send(kind, this.id, flags, payload, this.#tookUs)
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
