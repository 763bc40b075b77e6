import type { FunctionLog, ModelInfo } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import { RequestCall, type RunnerFacts } from './call.ts'
import { createDecoder, type Decoder } from './decoder.ts'
import { createEncoder, type Encoder, type Reply } from './encoder.ts'
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

interface PendingRequest {
  readonly id: number
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  readonly abort: AbortController
  readonly credit: StreamCredit
}

const noModel: ModelInfo = Object.freeze({ id: '', version: '', path: '' })

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
  readonly #batches: PendingRequest[][] = []
  #gathering: PendingRequest[] = []
  #facts: RunnerFacts | null = null
  #running = 0
  #stopped: (() => void) | null = null

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#decode = createDecoder(options.definition)
    this.#encode = createEncoder(options.definition)
  }

  /** Sets the function up, loads its model and runs the warm-up inputs. */
  async start(): Promise<void> {
    const { definition, model, engine, log, name } = this.#options
    const state = await definition.setup?.({ name })
    const loaded = model && definition.model ? await definition.model.load(model, engine) : undefined
    this.#facts = { state, model: loaded, modelInfo: model ?? noModel, log }
    for (const input of definition.warmup ?? []) await this.#warmUp(input)
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

  /** Finishes what is in hand, then frees the model and the function's state. */
  async stop(): Promise<void> {
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#stopped = resolve
      })
    }
    const { definition } = this.#options
    if (this.#facts && definition.model && this.#options.model)
      await definition.model.unload(this.#facts.model)
    if (this.#facts) await definition.teardown?.(this.#facts.state)
    this.#facts = null
  }

  #gather(id: number, flags: number, payload: Uint8Array<ArrayBuffer>): void {
    const { head, body } = decodeHead<RequestHead>(payload)
    const request = { id, head, body, abort: new AbortController(), credit: new StreamCredit() }
    this.#open.set(id, request)
    this.#gathering.push(request)
    if (flags & frameFlags.more) return
    this.#batches.push(this.#gathering)
    this.#gathering = []
    this.#pump()
  }

  #cancel(id: number): void {
    const request = this.#open.get(id)
    request?.abort.abort(new DOMException('The caller has gone.', 'AbortError'))
    request?.credit.close()
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

  async #answer(batch: readonly PendingRequest[], facts: RunnerFacts): Promise<void> {
    const decoded = await Promise.all(batch.map((request) => this.#decodeCall(request, facts)))
    const accepted = decoded.filter((entry) => entry !== null)
    if (accepted.length === 0) return
    const calls = accepted.map(({ call }) => call)
    const outcomes = await this.#options.definition
      .answer(calls, allAborted(calls))
      .catch((error: unknown) => calls.map(() => toError(error)))
    await Promise.all(accepted.map(({ request }, index) => this.#reply(request, outcomes[index])))
  }

  async #decodeCall(
    request: PendingRequest,
    facts: RunnerFacts,
  ): Promise<{ request: PendingRequest; call: RequestCall } | null> {
    try {
      request.abort.signal.throwIfAborted()
      const decoded = await this.#decode(request.head, request.body)
      return {
        request,
        call: new RequestCall(request.head, request.body, decoded, facts, request.abort.signal),
      }
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
        await this.#stream(request, reply.head, reply.body)
      }
    } catch (error) {
      this.#refuse(request, error)
    }
  }

  async #stream(
    request: PendingRequest,
    head: Reply['head'],
    body: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    this.#send(request, frameKinds.streamStart, 0, [encodeJson(head)])
    let flags: number = frameFlags.streamBroken
    try {
      const send = (piece: Uint8Array): void => this.#send(request, frameKinds.streamChunk, 0, [piece])
      if (await pumpStream(body, request.credit, send)) flags = 0
    } catch (error) {
      this.#logFailure(request, error)
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
    if (this.#open.size === 0) this.#stopped?.()
  }

  async #warmUp(input: unknown): Promise<void> {
    const facts = this.#facts
    if (!facts) return
    const head: RequestHead = {
      requestId: 'warmup',
      principal: 'warmup',
      method: 'POST',
      url: '/',
      params: {},
      contentType: null,
      accept: null,
      headers: [],
    }
    const { signal } = new AbortController()
    const decoded = { input, params: {}, query: {} }
    const [outcome] = await this.#options.definition.answer(
      [new RequestCall(head, new Uint8Array(), decoded, facts, signal)],
      signal,
    )
    if (outcome instanceof Error) throw outcome
  }
}

/** A signal that fires when all of the calls' signals have. */
function allAborted(calls: readonly RequestCall[]): AbortSignal {
  const [only] = calls
  if (only && calls.length === 1) return only.signal
  const all = new AbortController()
  let left = calls.length
  for (const { signal } of calls) {
    signal.addEventListener('abort', () => {
      left -= 1
      if (left === 0) all.abort(signal.reason)
    })
  }
  return all.signal
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`The function threw ${String(error)}`)
}
