import type { Standing } from '../cache/residency.ts'
import type { FunctionLog } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { Session } from '../engine/engine.ts'
import { RequestBatch } from '../runner/batch.ts'
import { createDecoder, type Decoder } from '../runner/decoder.ts'
import { createEncoder } from '../runner/encoder.ts'
import type { LoadedFunction } from '../runner/loaded-function.ts'
import { callerGone, OpenRequest, type ReplyOptions } from '../runner/open-request.ts'
import { splitByRows } from '../runner/row-split.ts'
import type { RequestMessage } from './message.ts'
import { createMessageSink, type MessagePost } from './message-sink.ts'
import type { PageModel } from './model.ts'
import type { LocalProgress, LocalRun } from './run.ts'

/** Batches worked on side by side where a function waits for others; the server's default. */
const defaultOngoing = 64
/** The most bytes of bodies in one batch, where the function does not say; the server's default. */
const defaultBatchBytes = 16_777_216

/** A function with one model, or none. */
export interface ResidentOptions {
  readonly key: string
  /** The function's name. */
  readonly name: string
  readonly definition: Definition
  /** The name of a function that its module has from a function file; `null` of any other. */
  readonly nameOf: (definition: Definition) => string | null
  readonly model: PageModel | null
  readonly log: FunctionLog
  readonly post: MessagePost
  /** Is told each time when nothing is in hand any more. */
  readonly emptied: (resident: Resident) => void
}

/** What a resident is told once it has come up. */
export interface ComeUp {
  readonly loaded: LoadedFunction
  /** What its model computes with. */
  readonly sessions: readonly Session[]
}

interface Arrival {
  readonly request: OpenRequest
  readonly alone: boolean
  readonly arrivedMs: number
  batch: RequestBatch | null
  startedMs: number
}

/**
 * A function with one model in this worker: what asks for it waits here while it comes up, and is then answered batch
 * by batch. A batch takes what waits as soon as there is a turn: idle, nobody waits for company.
 */
export class Resident {
  readonly options: ResidentOptions
  readonly #definition: Definition
  readonly #decode: Decoder
  readonly #replyOptions: ReplyOptions
  readonly #open = new Map<number, Arrival>()
  #waiting: Arrival[] = []
  #up: ComeUp | null = null
  #running = 0
  #leaving = false
  #emptied: (() => void) | null = null
  /** What it takes up, as far as is known. */
  bytes: number
  lastUsedMs = performance.now()
  /** Where the files of its model are, once they are there. */
  path: string | null = null
  /** Why its model does not compute on the provider that was wished for. */
  reason: string | null = null

  constructor(options: ResidentOptions) {
    const { name, model, log, post } = options
    this.options = options
    this.bytes = model?.sizeBytes ?? 0
    this.#definition = splitByRows(options.definition)
    this.#decode = createDecoder(this.#definition)
    this.#replyOptions = {
      name,
      log,
      encode: createEncoder(this.#definition),
      sink: createMessageSink(post, (request) => this.#runOf(request)),
      closed: (request) => this.#closed(request),
      waitsOf: ({ id }) => this.#open.get(id)?.batch?.waits ?? null,
    }
  }

  /** Whether it answers. */
  get isUp(): boolean {
    return this.#up !== null
  }

  /** Whether nothing waits or runs. */
  get isIdle(): boolean {
    return this.#open.size === 0
  }

  /** How readily it goes. */
  get standing(): Standing {
    if (this.#leaving) return 'leaving'
    return this.isIdle ? 'idle' : 'busy'
  }

  /** Takes a request. */
  add({ id, head, body, alone }: RequestMessage, arrivedMs: number): void {
    const request = new OpenRequest({ id, head, body }, this.#replyOptions)
    const arrival = { request, alone, arrivedMs, batch: null, startedMs: arrivedMs }
    this.#open.set(id, arrival)
    this.#waiting.push(arrival)
    if (this.#up) this.#sayReady(arrival)
    this.#pump()
  }

  /** The caller of a request has gone: one that waits is answered at once. Whether it was here. */
  cancel(id: number): boolean {
    const arrival = this.#open.get(id)
    if (!arrival) return false
    arrival.request.cancel()
    if (arrival.batch) arrival.batch.callerLeft()
    else {
      this.#waiting = this.#waiting.filter((other) => other !== arrival)
      arrival.request.refuse(callerGone())
    }
    return true
  }

  /** Lets more of a stream be sent. */
  credit(id: number, bytes: number): void {
    this.#open.get(id)?.request.addCredit(bytes)
  }

  /** Tells those who wait how far the model is. */
  report(stage: LocalProgress['stage'], doneBytes: number, totalBytes: number): void {
    const progress = { stage, model: this.options.model?.id ?? '', doneBytes, totalBytes }
    for (const id of this.#open.keys()) this.options.post({ kind: 'progress', id, progress }, [])
  }

  /** Begins to answer. */
  comeUp(up: ComeUp): void {
    this.#up = up
    for (const arrival of this.#waiting) this.#sayReady(arrival)
    this.#pump()
  }

  /** Refuses all who wait: it does not come up. */
  fail(error: unknown): void {
    for (const { request } of this.#waiting.splice(0)) request.refuse(error)
  }

  /** Finishes what is in hand, then frees the model and the function's state. It must get no more requests. */
  async leave(): Promise<void> {
    this.#leaving = true
    if (!this.isIdle) await new Promise<void>((resolve) => (this.#emptied = resolve))
    await this.#up?.loaded.dispose()
  }

  #closed({ id }: OpenRequest): void {
    this.#open.delete(id)
    this.lastUsedMs = performance.now()
    if (!this.isIdle) return
    this.#emptied?.()
    this.options.emptied(this)
  }

  #sayReady({ request: { id } }: Arrival): void {
    this.options.post({ kind: 'ready', id, idempotent: this.#definition.idempotent ?? true }, [])
  }

  /** A batch that waits for other residents takes up no room: another one may be answered meanwhile. */
  #waits(waiting: boolean): void {
    this.#running += waiting ? -1 : 1
    if (waiting) this.#pump()
  }

  #pump(): void {
    const definition = this.#definition
    const concurrency =
      definition.maxOngoingRequests ?? (definition.kind === 'inference' ? 1 : defaultOngoing)
    while (this.#up && this.#running < concurrency && this.#waiting.length > 0) {
      const batch = this.#gather()
      this.#running += 1
      const { facts } = this.#up.loaded
      void batch.answer({ definition, decode: this.#decode, facts }).finally(() => {
        this.#running -= 1
        this.#pump()
      })
    }
  }

  /** What waits, up to the bounds of a batch; one that has to run alone is a batch by itself. */
  #gather(): RequestBatch {
    const { maxSize, maxBytes = defaultBatchBytes } = this.#definition.batch ?? { maxSize: 1 }
    const batch = new RequestBatch((waiting) => this.#waits(waiting))
    let bytes = 0
    let count = 0
    for (const arrival of this.#waiting) {
      bytes += arrival.request.body.length
      if (count > 0 && (count === maxSize || bytes > maxBytes || arrival.alone)) break
      batch.add(arrival.request)
      arrival.batch = batch
      arrival.startedMs = performance.now()
      count += 1
      if (arrival.alone) break
    }
    this.#waiting.splice(0, count)
    return batch
  }

  #runOf({ id, tookUs }: OpenRequest): LocalRun {
    const arrival = this.#open.get(id)
    const { model } = this.options
    const providers = new Set(this.#up?.sessions.map(({ provider }) => provider))
    return {
      provider: [...providers].join(', ') || null,
      reason: this.reason,
      model: model && { id: model.id, version: model.version },
      queueMs: arrival ? arrival.startedMs - arrival.arrivedMs : 0,
      inferMs: tookUs / 1_000,
    }
  }
}
