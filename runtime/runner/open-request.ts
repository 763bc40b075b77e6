import type { FunctionLog } from '../define/context.ts'
import { isIsoplexError } from '../error/error.ts'
import { CallingRequest, type CallPlace } from './calling-request.ts'
import type { Encoder, Reply } from './encoder.ts'
import type { ReplyHead, RequestHead } from './head.ts'
import { pumpStream, StreamCredit } from './stream.ts'
import type { Waits } from './waits.ts'

/** A request as it arrived. `id` is unique among those of one runner. */
export interface ArrivedRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
}

/** Takes answers to where the requests came from: each request is answered whole, refused, or by a stream. */
export interface ReplySink {
  reply(request: OpenRequest, head: ReplyHead, body: string | Uint8Array): void
  refuse(request: OpenRequest, error: unknown): void
  startStream(request: OpenRequest, head: ReplyHead): void
  streamChunk(request: OpenRequest, piece: Uint8Array): void
  /** `broken`: it ends before its end, and nothing that was sent says so. */
  endStream(request: OpenRequest, broken: boolean): void
}

/** What the requests of one runner share. */
export interface ReplyOptions {
  /** The function's name. */
  readonly name: string
  readonly encode: Encoder
  readonly log: FunctionLog
  readonly sink: ReplySink
  /** Is told of each request once, when it has been answered. */
  readonly closed: (request: OpenRequest) => void
  /** What counts the calls to other runners that a request waits for; `null` where nothing does. */
  readonly waitsOf: (request: OpenRequest) => Waits | null
}

/** A request in a runner's hands, from its arrival to its answer. */
export class OpenRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  readonly #options: ReplyOptions
  #abort: AbortController | null = null
  #credit: StreamCredit | null = null
  #place: CallPlace | null = null
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

  /** The function that answers it, as the caller of others. */
  get place(): CallPlace {
    this.#place ??= this.#makePlace()
    return this.#place
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

  /** How long the function took, in microseconds, as far as is known. */
  get tookUs(): number {
    return this.#tookUs
  }

  /** Notes how long the function took, for the answer to say. */
  took(microseconds: number): void {
    this.#tookUs = microseconds
  }

  /** Answers with what the function returned: at once, or for a stream as it resolves. Never throws or rejects. */
  reply(outcome: unknown): Promise<void> | undefined {
    try {
      if (outcome instanceof Error) throw outcome
      const { head, body, lastWords } = this.#options.encode(outcome, this.head)
      if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
        return this.#stream(head, body, lastWords)
      }
      this.#options.sink.reply(this, head, body)
      this.#close()
    } catch (error) {
      this.refuse(error)
    }
    return undefined
  }

  /** Answers with an error. */
  refuse(error: unknown): void {
    this.#logFailure(error)
    this.#options.sink.refuse(this, error)
    this.#close()
  }

  async #stream(
    head: Reply['head'],
    chunks: AsyncIterable<Uint8Array>,
    lastWords: Reply['lastWords'],
  ): Promise<void> {
    const { sink } = this.#options
    const credit = new StreamCredit()
    this.#credit = credit
    if (this.#cancelled) credit.close()
    sink.startStream(this, head)
    const send = (piece: Uint8Array): void => sink.streamChunk(this, piece)
    let broken = true
    try {
      broken = !(await pumpStream(chunks, credit, send))
    } catch (error) {
      this.#logFailure(error)
      if (lastWords) {
        // It is the last piece, so nobody gives credit for another.
        send(lastWords(error))
        broken = false
      }
    }
    sink.endStream(this, broken)
    this.#close()
  }

  /** What a caller is not shown must be found in the log. */
  #logFailure(error: unknown): void {
    if (this.#cancelled || (isIsoplexError(error) && error.status < 500)) return
    const { name, log } = this.#options
    log.error('A function failed', { function: name, requestId: this.head.requestId, error })
  }

  #makePlace(): CallPlace {
    const { name, waitsOf } = this.#options
    const request = new CallingRequest(this.id, waitsOf(this), this.head.callers)
    if (this.#answered) request.close()
    return { request, chain: [name], waits: null }
  }

  #close(): void {
    this.#answered = true
    this.#place?.request.close()
    this.#options.closed(this)
  }
}

/** Why a signal fires whose caller has gone. */
export function callerGone(): DOMException {
  return new DOMException('The caller has gone.', 'AbortError')
}
