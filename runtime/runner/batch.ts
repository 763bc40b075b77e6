import { type Call, type Callers, type Definition, toError } from '../define/definition.ts'
import { createCall, type RunnerFacts } from './call.ts'
import type { Decoder } from './decoder.ts'
import { callerGone, type OpenRequest } from './open-request.ts'
import { Waits } from './waits.ts'

/** How the batches of one runner are answered. */
export interface BatchAnswering {
  readonly definition: Definition
  readonly decode: Decoder
  readonly facts: RunnerFacts
}

/** Requests that are answered by one call of the function. */
export class RequestBatch implements Callers {
  readonly #requests: OpenRequest[] = []
  /** Counts the calls to other runners that its requests wait for. */
  readonly waits: Waits
  #abort: AbortController | null = null

  /** `waits` is told when the batch begins to wait for calls to other runners, and when it waits for none any more. */
  constructor(waits: (waiting: boolean) => void) {
    this.waits = new Waits(waits)
  }

  /** Adds a request; not after the batch is being answered. */
  add(request: OpenRequest): void {
    this.#requests.push(request)
  }

  /** Fires when every request is abandoned: where there is one only, it is its own. */
  get signal(): AbortSignal {
    const [first] = this.#requests
    if (first && this.#requests.length === 1) return first.signal
    if (!this.#abort) {
      this.#abort = new AbortController()
      this.callerLeft()
    }
    return this.#abort.signal
  }

  /** To be called when a caller has gone: the function learns it once nobody waits for any of its answers. */
  callerLeft(): void {
    if (this.#requests.every((request) => request.abandoned)) this.#abort?.abort(callerGone())
  }

  /**
   * Answers every request; resolves once all are sent, be they streams. A request that has been cancelled or does
   * not fit the schemas is refused by itself. Never rejects.
   */
  async answer({ definition, decode, facts }: BatchAnswering): Promise<void> {
    const accepted: OpenRequest[] = []
    const calls: Call[] = []
    for (const request of this.#requests) {
      const call = accept(request, decode, facts)
      if (!call) continue
      accepted.push(request)
      calls.push(call)
    }
    if (calls.length === 0) return
    const startedMs = performance.now()
    let outcomes: readonly unknown[]
    try {
      outcomes = await definition.answer(calls, this)
    } catch (error) {
      outcomes = calls.map(() => toError(error))
    }
    const tookUs = (performance.now() - startedMs) * 1_000
    const streams: Promise<void>[] = []
    for (const [index, request] of accepted.entries()) {
      request.took(tookUs)
      const stream = request.reply(outcomes[index])
      if (stream) streams.push(stream)
    }
    if (streams.length > 0) await Promise.all(streams)
  }
}

/** The call of a request that still waits and fits the function's schemas. */
function accept(request: OpenRequest, decode: Decoder, facts: RunnerFacts): Call | null {
  try {
    if (request.cancelled) throw callerGone()
    return createCall(request, decode(request.head, request.body), facts)
  } catch (error) {
    request.refuse(error)
    return null
  }
}
