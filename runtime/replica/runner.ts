import type { FunctionLog, ModelInfo } from '../define/context.ts'
import { type Call, type Definition, toError } from '../define/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import { createCall, type RunnerFacts } from './call.ts'
import { createDecoder, type Decoder } from './decoder.ts'
import { createEncoder, type Encoder, isAsyncIterable, type Reply } from './encoder.ts'
import {
  decodeHead,
  encodeHead,
  encodeJson,
  type Frame,
  type FrameKind,
  frameFlags,
  frameKinds,
} from './frame.ts'
import type { RequestHead } from './message.ts'
import { pumpStream, StreamCredit } from './stream.ts'

/** What a runner needs of its surroundings. */
export interface RunnerOptions {
  readonly name: string
  readonly definition: Definition
  /** The model to load; `null` for a function without one. */
  readonly model: ModelInfo | null
  readonly engine: Engine
  /** Batches worked on side by side. */
  readonly concurrency: number
  readonly log: FunctionLog
  readonly send: (kind: FrameKind, id: number, flags: number, payload: readonly Uint8Array[]) => void
}

/** Requests that are answered together. */
interface Batch {
  readonly requests: PendingRequest[]
  /** Fires when nobody waits for any of them: each caller has gone or was answered. */
  readonly abort: AbortController
}

interface PendingRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  readonly batch: Batch
  readonly abort: AbortController
  readonly credit: StreamCredit
}

/** A request that fits the function's schemas. */
interface AcceptedRequest {
  readonly request: PendingRequest
  readonly call: Call
}

const noModel: ModelInfo = Object.freeze({ id: '', version: '', path: '' })
const warmUpHead: RequestHead = Object.freeze({
  requestId: 'warmup',
  principal: 'warmup',
  method: 'POST',
  url: '/',
  params: Object.freeze({}),
  contentType: null,
  accept: null,
  headers: Object.freeze([]),
})

/**
 * Holds one function with one model and answers the requests that frames bring: decode, check, infer, check,
 * encode. Requests of one batch are answered by one call of the function; batches run one after the other, or
 * `concurrency` side by side. What fails for one request fails that request only.
 */
export class Runner {
  readonly #options: RunnerOptions
  readonly #decode: Decoder
  readonly #encode: Encoder
  readonly #open = new Map<number, PendingRequest>()
  readonly #batches: Batch[] = []
  /** What has to be freed in the end, last made first. */
  readonly #held = new AsyncDisposableStack()
  #gathering: Batch | null = null
  #facts: RunnerFacts | null = null
  #running = 0
  #emptied: (() => void) | null = null
  #stopped: Promise<void> | null = null

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#decode = createDecoder(options.definition)
    this.#encode = createEncoder(options.definition)
  }

  /**
   * Sets the function up, loads its model and runs the warm-up inputs. Where one of these fails, what has come
   * up before it is freed.
   */
  async start(): Promise<void> {
    try {
      this.#facts = await this.#comeUp()
    } catch (error) {
      await this.#held.disposeAsync().catch((further: unknown) => {
        this.#options.log.error('A function could not be taken down', {
          function: this.#options.name,
          error: further,
        })
      })
      throw error
    }
    this.#pump()
  }

  /** Takes a frame from the gateway. */
  receive({ kind, id, flags, payload }: Frame): void {
    if (kind === frameKinds.request) this.#gather(id, flags, payload)
    else if (kind === frameKinds.cancel) this.#cancel(id)
    else if (kind === frameKinds.credit) {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
      this.#open.get(id)?.credit.add(view.getUint32(0, true))
    }
  }

  /** Finishes what is in hand, then frees the model and the function's state; once, however often it is called. */
  stop(): Promise<void> {
    this.#stopped ??= this.#finish()
    return this.#stopped
  }

  async #comeUp(): Promise<RunnerFacts> {
    const { definition, model: modelInfo, engine, log, name } = this.#options
    const { model: loader } = definition
    const state = await definition.setup?.({ name })
    this.#held.defer(async () => {
      await definition.teardown?.(state)
    })
    const model = modelInfo && loader ? await loader.load(modelInfo, engine) : undefined
    if (modelInfo && loader) this.#held.defer(() => loader.unload(model))
    const getModel = (): Promise<unknown> => Promise.resolve(model)
    const facts = { state, model, modelInfo: modelInfo ?? noModel, log, getModel }
    for (const input of definition.warmup ?? []) await this.#warmUp(input, facts)
    return facts
  }

  async #finish(): Promise<void> {
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
      })
    }
    await this.#held.disposeAsync()
  }

  #gather(id: number, flags: number, payload: Uint8Array<ArrayBuffer>): void {
    const { head, body } = decodeHead<RequestHead>(payload)
    const more = (flags & frameFlags.more) !== 0
    const abort = new AbortController()
    // A batch of one is abandoned with its request.
    this.#gathering ??= { requests: [], abort: more ? new AbortController() : abort }
    const batch = this.#gathering
    const request = { id, head, body, batch, abort, credit: new StreamCredit() }
    this.#open.set(id, request)
    batch.requests.push(request)
    if (more) return
    this.#gathering = null
    this.#batches.push(batch)
    this.#pump()
  }

  #cancel(id: number): void {
    const request = this.#open.get(id)
    if (!request) return
    request.abort.abort(callerGone())
    request.credit.close()
    const { requests, abort } = request.batch
    const abandoned = requests.every((other) => other.abort.signal.aborted || !this.#open.has(other.id))
    if (abandoned) abort.abort(callerGone())
  }

  #pump(): void {
    const facts = this.#facts
    while (facts && this.#running < this.#options.concurrency) {
      const batch = this.#batches.shift()
      if (!batch) return
      this.#running += 1
      void this.#answer(batch, facts).finally(() => {
        this.#running -= 1
        this.#pump()
      })
    }
  }

  async #answer(batch: Batch, facts: RunnerFacts): Promise<void> {
    const accepted = batch.requests
      .map((request) => this.#accept(request, facts))
      .filter((entry) => entry !== null)
    if (accepted.length === 0) return
    const calls = accepted.map(({ call }) => call)
    const outcomes = await this.#options.definition
      .answer(calls, batch.abort.signal)
      .catch((error: unknown) => calls.map(() => toError(error)))
    await Promise.all(accepted.map(({ request }, index) => this.#reply(request, outcomes[index])))
  }

  #accept(request: PendingRequest, facts: RunnerFacts): AcceptedRequest | null {
    const { head, body, abort } = request
    try {
      abort.signal.throwIfAborted()
      const decoded = this.#decode(head, body)
      return { request, call: createCall(head, body, decoded, facts, abort.signal) }
    } catch (error) {
      this.#refuse(request, error)
      return null
    }
  }

  async #reply(request: PendingRequest, outcome: unknown): Promise<void> {
    try {
      if (outcome instanceof Error) throw outcome
      const reply = this.#encode(outcome, request.head)
      if (reply.body instanceof Uint8Array) {
        this.#send(request, frameKinds.reply, 0, encodeHead(reply.head, reply.body))
        this.#close(request)
      } else {
        await this.#stream(request, reply, reply.body)
      }
    } catch (error) {
      this.#refuse(request, error)
    }
  }

  async #stream(request: PendingRequest, reply: Reply, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#send(request, frameKinds.streamStart, 0, [encodeJson(reply.head)])
    const send = (piece: Uint8Array): void => this.#send(request, frameKinds.streamChunk, 0, [piece])
    let flags: number = frameFlags.streamBroken
    try {
      if (await pumpStream(chunks, request.credit, send)) flags = 0
    } catch (error) {
      this.#logFailure(request, error)
      if (reply.lastWords) {
        // It is the last piece, so nobody gives credit for another.
        send(reply.lastWords(error))
        flags = 0
      }
    }
    this.#send(request, frameKinds.streamEnd, flags, [])
    this.#close(request)
  }

  #refuse(request: PendingRequest, error: unknown): void {
    this.#logFailure(request, error)
    this.#send(request, frameKinds.refusal, 0, [encodeJson(toWire(error))])
    this.#close(request)
  }

  /** What a caller is not shown must be found in the log. */
  #logFailure({ head, abort }: PendingRequest, error: unknown): void {
    if (abort.signal.aborted || (isIsoplexError(error) && error.status < 500)) return
    this.#options.log.error('A function failed', {
      function: this.#options.name,
      requestId: head.requestId,
      error,
    })
  }

  #send({ id }: PendingRequest, kind: FrameKind, flags: number, payload: readonly Uint8Array[]): void {
    this.#options.send(kind, id, flags, payload)
  }

  #close({ id }: PendingRequest): void {
    this.#open.delete(id)
    if (this.#open.size === 0) this.#emptied?.()
  }

  async #warmUp(input: unknown, facts: RunnerFacts): Promise<void> {
    const { signal } = new AbortController()
    const decoded = { input, params: {}, query: {} }
    const call = createCall(warmUpHead, new Uint8Array(), decoded, facts, signal)
    const [outcome] = await this.#options.definition.answer([call], signal)
    if (outcome instanceof Error) throw outcome
    // A stream computes only while it is read.
    if (isAsyncIterable(outcome)) for await (const _ of outcome);
  }
}

function callerGone(): DOMException {
  return new DOMException('The caller has gone.', 'AbortError')
}
