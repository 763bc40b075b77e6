import { RequestBatch } from '../runner/batch.ts'
import { createCallPlacement } from '../runner/call-placement.ts'
import { createDecoder, type Decoder } from '../runner/decoder.ts'
import { createEncoder } from '../runner/encoder.ts'
import { FunctionHandles, type FunctionHandlesOptions } from '../runner/function-handles.ts'
import { GraphParts, type HeldPart } from '../runner/graph-parts.ts'
import type { RequestHead } from '../runner/head.ts'
import { type FunctionToLoad, type LoadedFunction, loadFunction } from '../runner/loaded-function.ts'
import { OpenRequest, type ReplyOptions } from '../runner/open-request.ts'
import { splitByRows } from '../runner/row-split.ts'
import { decodeHead, type Frame, frameFlags, frameKinds } from './frame.ts'
import { createFrameSink, type FrameSend } from './frame-sink.ts'
import { IdMap } from './id-map.ts'
import { RunnerCalls } from './runner-calls.ts'

/** What a runner needs of its surroundings. */
export interface RunnerOptions extends Omit<FunctionToLoad, 'openHandle' | 'held'> {
  /** The name of a function that the bundle has from a function file; `null` of any other. */
  readonly nameOf: FunctionHandlesOptions['nameOf']
  /** The models of a graph's nodes, which are held with it. */
  readonly parts: readonly HeldPart[]
  /** Whether a function is run by nobody but its own deployment. @default none is */
  readonly isApart?: (name: string) => boolean
  /** Batches worked on side by side. */
  readonly concurrency: number
  readonly send: FrameSend
  /** Is told that no more will be sent for now. */
  readonly flush: () => void
}

/**
 * Holds one function with one model and answers the requests that frames bring: decode, check, infer, check,
 * encode. Requests of one batch are answered by one call of the function; batches run one after the other, or
 * `concurrency` side by side, those that wait for calls to other runners not counted. What fails for one request fails
 * that request only.
 */
export class Runner {
  readonly #options: RunnerOptions
  readonly #replyOptions: ReplyOptions
  readonly #decode: Decoder
  /** What waits and what runs, by the id of its frame. */
  readonly #open = new IdMap<{ readonly request: OpenRequest; readonly batch: RequestBatch }>()
  readonly #batches: RequestBatch[] = []
  readonly #handles: FunctionHandles
  readonly #parts: GraphParts
  readonly #calls: RunnerCalls
  #gathering: RequestBatch | null = null
  #loaded: LoadedFunction | null = null
  /** The batches that are being answered, less those that wait for calls to other runners. */
  #running = 0
  #emptied: (() => void) | null = null
  #stopped: Promise<void> | null = null

  constructor(options: RunnerOptions) {
    const { name, log, send, nameOf, parts, engine, fetchInput, isApart } = options
    const definition = splitByRows(options.definition)
    this.#options = { ...options, definition }
    this.#decode = createDecoder(definition)
    this.#calls = new RunnerCalls({ send })
    this.#parts = new GraphParts(parts, isApart)
    const place = this.#parts.placement(
      createCallPlacement({ transport: this.#calls, ...(isApart && { isApart }) }),
    )
    this.#handles = new FunctionHandles({ nameOf, place, engine, log, fetchInput })
    this.#replyOptions = {
      name,
      encode: createEncoder(definition),
      log,
      sink: createFrameSink(send),
      closed: (request) => this.#closed(request),
      waitsOf: ({ id }) => this.#open.get(id)?.batch.waits ?? null,
    }
  }

  /**
   * Sets the function up, loads its model and runs the warm-up inputs. Where one of these fails, what has come
   * up before it is freed.
   */
  async start(): Promise<void> {
    try {
      await this.#parts.load(this.#options.definition, this.#handles)
      this.#loaded = await loadFunction({ ...this.#options, openHandle: this.#handles.opener })
    } catch (error) {
      await this.#handles.dispose()
      throw error
    }
    this.#pump()
  }

  /** Takes a frame from the gateway. */
  receive(frame: Frame): void {
    const { kind, id, flags, payload } = frame
    if (kind === frameKinds.request) this.#gather(id, flags, payload)
    else if (kind === frameKinds.cancel) this.#cancel(id)
    else if (kind === frameKinds.credit) {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
      this.#open.get(id)?.request.addCredit(view.getUint32(0, true))
    } else this.#calls.receive(frame)
  }

  /** Finishes what is in hand, then frees the model and the function's state; once, however often it is called. */
  stop(): Promise<void> {
    this.#stopped ??= this.#finish()
    return this.#stopped
  }

  async #finish(): Promise<void> {
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
      })
    }
    try {
      await this.#handles.dispose()
    } finally {
      await this.#loaded?.dispose()
    }
  }

  #gather(id: number, flags: number, payload: Uint8Array<ArrayBuffer>): void {
    const { head, body } = decodeHead<RequestHead>(payload)
    this.#gathering ??= new RequestBatch((waiting) => this.#waits(waiting))
    const batch = this.#gathering
    const request = new OpenRequest({ id, head, body }, this.#replyOptions)
    this.#open.set(id, { request, batch })
    batch.add(request)
    if (flags & frameFlags.more) return
    this.#gathering = null
    this.#batches.push(batch)
    this.#pump()
  }

  #cancel(id: number): void {
    const open = this.#open.get(id)
    if (!open) return
    open.request.cancel()
    open.batch.callerLeft()
  }

  #closed({ id }: OpenRequest): void {
    this.#open.delete(id)
    if (this.#open.size === 0) this.#emptied?.()
  }

  /** A batch that waits for calls to other runners takes up no room: another one may be answered meanwhile. */
  #waits(waiting: boolean): void {
    this.#running += waiting ? -1 : 1
    if (waiting) this.#pump()
  }

  #pump(): void {
    const { definition, concurrency, flush } = this.#options
    const facts = this.#loaded?.facts
    while (facts && this.#running < concurrency) {
      const batch = this.#batches.shift()
      if (!batch) return
      this.#running += 1
      void batch.answer({ definition, decode: this.#decode, facts }).finally(() => {
        this.#running -= 1
        // Before the next batch, whose work may take long.
        if (this.#running === 0) flush()
        this.#pump()
      })
    }
  }
}
