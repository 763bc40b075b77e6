import { type Call, type Definition, toError } from '../define/definition.ts'
import { createCall, type RunnerFacts } from './call.ts'
import type { Decoder } from './decoder.ts'
import { callerGone, type OpenRequest } from './open-request.ts'

/** How the batches of one runner are answered. */
export interface BatchAnswering {
  readonly definition: Definition
  readonly decode: Decoder
  readonly facts: RunnerFacts
}

/** A request that fits the function's schemas. */
interface AcceptedRequest {
  readonly request: OpenRequest
  readonly call: Call
}

/** Requests that are answered by one call of the function. */
export class RequestBatch {
  readonly #requests: OpenRequest[] = []
  #abort: AbortController | null = null

  /** Adds a request; not after the batch is being answered. */
  add(request: OpenRequest): void {
    this.#requests.push(request)
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
    const accepted = this.#requests
      .map((request) => accept(request, decode, facts))
      .filter((entry) => entry !== null)
    if (accepted.length === 0) return
    const calls = accepted.map(({ call }) => call)
    const outcomes = await definition
      .answer(calls, this.#signal())
      .catch((error: unknown) => calls.map(() => toError(error)))
    await Promise.all(accepted.map(({ request }, index) => request.reply(outcomes[index])))
  }

  /** A signal that fires when every request is abandoned: where there is one only, its own. */
  #signal(): AbortSignal {
    const [first] = this.#requests
    if (first && this.#requests.length === 1) return first.signal
    this.#abort = new AbortController()
    return this.#abort.signal
  }
}

function accept(request: OpenRequest, decode: Decoder, facts: RunnerFacts): AcceptedRequest | null {
  const { head, body, signal } = request
  try {
    signal.throwIfAborted()
    return { request, call: createCall(head, body, decode(head, body), facts, signal) }
  } catch (error) {
    request.refuse(error)
    return null
  }
}
