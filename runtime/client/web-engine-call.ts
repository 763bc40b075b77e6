import type { HostMessage, RequestMessage } from '../page/message.ts'
import { AnswerStream } from '../runner/answer-stream.ts'
import type { LocalReply, LocalRequest } from './local-engine.ts'

/** Who sends the answer of a request, as far as it streams. */
export interface AnswerSource {
  /** So many bytes were read: as many more may come. */
  giveCredit(bytes: number): void
  /** Nobody reads on. */
  cancelled(): void
}

/** A request on the page's side, from its arrival to the end of its answer. */
export class LocalCall {
  readonly request: LocalRequest
  /** What the worker is told, less what differs from try to try. */
  readonly message: Omit<RequestMessage, 'id' | 'alone'>
  /** How long it may take once its function and model are there, in milliseconds. */
  readonly timeoutMs: number
  readonly reply: Promise<LocalReply>
  /** Workers that have died while it ran. */
  deaths = 0
  /** Whether it may run again where a worker dies with it. */
  repeatable = true
  readonly #settle: { resolve(reply: LocalReply): void; reject(error: unknown): void }
  #stream: AnswerStream | null = null

  constructor(request: LocalRequest, message: Omit<RequestMessage, 'id' | 'alone'>, timeoutMs: number) {
    const { promise, resolve, reject } = Promise.withResolvers<LocalReply>()
    this.request = request
    this.message = message
    this.timeoutMs = timeoutMs
    this.reply = promise
    this.#settle = { resolve, reject }
  }

  /** Whether its answer streams. */
  get isStreaming(): boolean {
    return this.#stream !== null
  }

  /** Takes a part of its answer. */
  receive(message: HostMessage, { giveCredit, cancelled }: AnswerSource): void {
    if (message.kind === 'reply') {
      const { head, body, run } = message
      this.#settle.resolve({ head, body, run })
    } else if (message.kind === 'stream') {
      this.#stream = new AnswerStream(giveCredit, cancelled)
      this.#settle.resolve({ head: message.head, body: this.#stream.readable, run: message.run })
    } else if (message.kind === 'chunk') this.#stream?.push(message.bytes)
    else if (message.kind === 'end') {
      this.#stream?.end(message.broken ? new TypeError('The stream broke off.') : undefined)
    }
  }

  /** Ends it with an error, be it in the middle of a stream. */
  fail(error: unknown): void {
    this.#settle.reject(error)
    this.#stream?.end(error)
  }
}
