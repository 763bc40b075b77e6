import type { AnyIterable, CallOptions, FunctionHandle, HandleRequest } from '../define/handle.ts'
import { orAborted } from './abort-race.ts'
import { inferInBatches } from './batched-inference.ts'
import type { CallSource } from './call.ts'
import { startCallTime } from './call-time.ts'
import { isAsyncIterable } from './encoder.ts'

/** What one call of another function goes by. */
export interface CallerFacts {
  /** The request that the caller answers. */
  readonly source: Pick<CallSource, 'head' | 'place'>
  /** Fires when nobody wants the answers any more. */
  readonly signal: AbortSignal
  /** How long the caller has given it, in milliseconds; `null` for as long as the signal does not fire. */
  readonly timeoutMs: number | null
}

/** A function with what answers it: beside its caller, or in another runner. */
export interface Callee {
  /** How many requests are best answered together. */
  readonly batchSize: number
  /**
   * Answers requests; gives an outcome for each, in their order: an `Error` where there is no answer. Rejects where the
   * whole call fails.
   */
  answer(requests: readonly HandleRequest[], facts: CallerFacts): Promise<readonly unknown[]>
}

/** Opens a handle of a function in the name of a request. */
export function createHandle(
  callee: Callee,
  source: CallSource,
): FunctionHandle<unknown, unknown, unknown, unknown> {
  return {
    infer: (input, options) => answerOne(callee, source, { input }, options),
    call: (request, options) => answerOne(callee, source, request, options),
    inferAll: (inputs, options) => answerAll(callee, source, inputs, options),
  }
}

async function answerOne(
  callee: Callee,
  source: CallSource,
  request: HandleRequest,
  options: CallOptions = {},
): Promise<unknown> {
  source.place.request.assertUnanswered()
  const time = startCallTime(source.signal, options)
  const { signal } = time
  let streams = false
  try {
    const answered = callee.answer([request], { source, signal, timeoutMs: options.timeoutMs ?? null })
    // A function that is called by reference may take no notice of its signal.
    const [outcome] = await (signal === source.signal ? answered : orAborted(answered, signal))
    if (outcome instanceof Error) throw outcome
    streams = isAsyncIterable(outcome)
    if (!isAsyncIterable(outcome)) return outcome
    time.lift()
    return followed(outcome, () => time.end())
  } finally {
    if (!streams) time.end()
  }
}

/** A stream whose end is told. */
async function* followed(items: AsyncIterable<unknown>, ended: () => void): AsyncGenerator<unknown, void> {
  try {
    yield* items
  } finally {
    ended()
  }
}

function answerAll(
  callee: Callee,
  source: CallSource,
  inputs: AnyIterable<unknown>,
  options: CallOptions = {},
): AsyncIterableIterator<unknown> {
  // Whoever reads no further ends what is under way.
  const leaving = new AbortController()
  const wishes = options.signal ? [leaving.signal, options.signal] : [leaving.signal]
  const read = readAll()
  return {
    next: () => read.next(),
    return(value?: unknown) {
      leaving.abort(new DOMException('Nobody reads the answers any more.', 'AbortError'))
      return read.return(value)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }

  async function* readAll(): AsyncGenerator<unknown, unknown> {
    const time = startCallTime(source.signal, { ...options, signal: AbortSignal.any(wishes) })
    const { signal } = time
    const answer = async (batch: readonly unknown[]): Promise<readonly unknown[]> => {
      source.place.request.assertUnanswered()
      const requests = batch.map((input) => ({ input }))
      return callee.answer(requests, { source, signal, timeoutMs: null })
    }
    try {
      return yield* inferInBatches(inputs, { batchSize: callee.batchSize, answer })
    } finally {
      time.end()
    }
  }
}
