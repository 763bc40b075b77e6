import type { Socket } from 'bun'
import { FrameConnection } from '../connection.ts'
import { decodeJson, encodeJson, type Frame, frameKinds } from '../frame.ts'
import type { ContentOffer } from './content-offer.ts'
import type { ContentPeer } from './content-shelf.ts'
import type { HandshakeLine } from './handshake.ts'
import { type ContentQuestion, type ListingAnswer, maxMessageBytes, maxStrangerBytes } from './message.ts'

/** What the owner of an open connection hears. */
export interface ControlEvents<Received> {
  received(message: Received): void
  /** Nothing comes any more; `why` says what is known of it. */
  closed(why: string): void
}

/** How often each end says that it is there. */
const beatMs = 1_000
/** How long an end may say nothing before it is lost. */
const silenceMs = 5_000
/** A look that comes later than this says nothing of the other end: this one stood still. */
const lateMs = 2 * beatMs
/** Messages that may wait for the handshake to go on. */
const maxInbox = 4
/** Questions of the other end that are being answered at a time. */
const maxQuestions = 64

/**
 * One end of what a gateway and a node say to each other. First comes the handshake, message by message and little at a
 * time; then messages both ways, questions for content, and beats, by which each end soon notices that the other is lost
 * although nobody has closed anything.
 */
export class ControlConnection<Sent, Received> implements HandshakeLine, ContentPeer {
  readonly #socket: Socket<unknown>
  readonly #connection: FrameConnection
  readonly #offer: ContentOffer
  readonly #inbox: unknown[] = []
  #hearing: PromiseWithResolvers<unknown> | null = null
  readonly #asked = new Map<number, PromiseWithResolvers<Frame>>()
  #nextQuestion = 1
  #answering = 0
  #events: ControlEvents<Received> | null = null
  #beat: Timer | null = null
  #heardMs: number = performance.now()
  #closed: string | null = null

  constructor(socket: Socket<unknown>, offer: ContentOffer) {
    this.#socket = socket
    this.#connection = new FrameConnection(socket, maxStrangerBytes)
    this.#offer = offer
  }

  /** The address of this machine that it goes by. */
  get localAddress(): string {
    return this.#socket.localAddress
  }

  /** Whether it has closed. */
  get closed(): boolean {
    return this.#closed !== null
  }

  /** Takes bytes of the socket. @throws {Error} where they are no frames of ours. */
  receive(bytes: Uint8Array): void {
    this.#heardMs = performance.now()
    for (const frame of this.#connection.receive(bytes)) this.#take(frame)
  }

  /** To be called when the socket takes bytes again. */
  drained(): void {
    this.#connection.drained()
  }

  /** To be called when the socket has closed, or nothing more is to come of it. */
  close(why: string): void {
    if (this.#closed !== null) return
    this.#closed = why
    if (this.#beat) clearInterval(this.#beat)
    const error = new Error(why)
    this.#hearing?.reject(error)
    for (const { reject } of this.#asked.values()) reject(error)
    this.#asked.clear()
    this.#socket.terminate()
    this.#events?.closed(why)
  }

  /** Sends what waits, then closes. */
  end(): void {
    this.#connection.end()
  }

  /** Says something before the other end has proved itself. */
  say(message: unknown): void {
    this.#connection.send(frameKinds.control, 0, 0, [encodeJson(message)])
    this.#connection.flush()
  }

  /** The next that it says. @throws {Error} where the connection closes. */
  hear(): Promise<unknown> {
    if (this.#closed !== null) return Promise.reject(new Error(this.#closed))
    const [first] = this.#inbox
    if (this.#inbox.length > 0) {
      this.#inbox.shift()
      return Promise.resolve(first)
    }
    this.#hearing = Promise.withResolvers()
    return this.#hearing.promise
  }

  /** The other end has proved itself: from now on all is told to `events`. */
  open(events: ControlEvents<Received>): void {
    this.#events = events
    if (this.#closed !== null) {
      events.closed(this.#closed)
      return
    }
    this.#connection.maxPayloadBytes = maxMessageBytes
    this.#heardMs = performance.now()
    let lookedMs = this.#heardMs
    this.#beat = setInterval(() => {
      const nowMs = performance.now()
      if (nowMs - lookedMs > lateMs) this.#heardMs = nowMs
      lookedMs = nowMs
      if (nowMs - this.#heardMs > silenceMs) this.close('it gives no sign of life')
      else this.#connection.send(frameKinds.beat, 0, 0, [])
    }, beatMs).unref()
    for (const message of this.#inbox.splice(0)) events.received(message as Received)
  }

  /** Sends a message. */
  send(message: Sent): void {
    if (this.#closed === null) this.#connection.send(frameKinds.control, 0, 0, [encodeJson(message)])
  }

  /** The listing of some content that the other end has; `null` where it has none. */
  async listing(digest: string): Promise<unknown> {
    const { payload } = await this.#ask({ ask: 'listing', digest }, frameKinds.answer)
    return decodeJson<ListingAnswer>(payload).listing
  }

  /** A piece of a file of some content that the other end has. @throws {Error} where it has not. */
  async piece(question: Extract<ContentQuestion, { ask: 'piece' }>): Promise<Uint8Array> {
    const { payload } = await this.#ask(question, frameKinds.piece)
    if (payload.length !== question.bytes) throw new Error('A piece of content has another length.')
    return payload
  }

  async #ask(question: ContentQuestion, kind: Frame['kind']): Promise<Frame> {
    if (this.#closed !== null) throw new Error(this.#closed)
    const id = this.#nextQuestion
    this.#nextQuestion = (this.#nextQuestion % 0xffff_ffff) + 1
    const answer = Promise.withResolvers<Frame>()
    this.#asked.set(id, answer)
    this.#connection.send(frameKinds.question, id, 0, [encodeJson(question)])
    const frame = await answer.promise
    if (frame.kind !== kind) throw new Error('The other end cannot give that content.')
    return frame
  }

  #take(frame: Frame): void {
    const { kind, id, payload } = frame
    if (kind === frameKinds.control) this.#hear(decodeJson<unknown>(payload))
    else if (this.#events === null) throw new TypeError('Only the handshake comes first.')
    else if (kind === frameKinds.question) void this.#answer(id, decodeJson<ContentQuestion>(payload))
    else if (kind === frameKinds.answer || kind === frameKinds.piece || kind === frameKinds.noAnswer) {
      this.#asked.get(id)?.resolve(frame)
      this.#asked.delete(id)
    } else if (kind !== frameKinds.beat) throw new TypeError('There is no such kind of frame here.')
  }

  #hear(message: unknown): void {
    const hearing = this.#hearing
    this.#hearing = null
    if (this.#events) this.#events.received(message as Received)
    else if (hearing) hearing.resolve(message)
    else if (this.#inbox.push(message) > maxInbox) throw new RangeError('It says too much at once.')
  }

  async #answer(id: number, question: ContentQuestion): Promise<void> {
    this.#answering += 1
    try {
      if (this.#answering > maxQuestions) throw new RangeError('Too many questions at once.')
      const answer = await this.#offer.answer(question)
      const isPiece = answer instanceof Uint8Array
      const kind = isPiece ? frameKinds.piece : frameKinds.answer
      if (this.#closed === null) this.#connection.send(kind, id, 0, [isPiece ? answer : encodeJson(answer)])
    } catch {
      if (this.#closed === null) this.#connection.send(frameKinds.noAnswer, id, 0, [])
    } finally {
      this.#answering -= 1
    }
  }
}
