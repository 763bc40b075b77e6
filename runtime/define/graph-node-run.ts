import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { nodeFailure } from './graph-failure.ts'
import type { GraphNode } from './graph-program.ts'
import type { GraphCall } from './graph-run.ts'
import type { CallOptions, FunctionHandle } from './handle.ts'

/** One node of a graph that runs. */
export interface NodeRunOptions {
  readonly node: GraphNode
  /** The node's name. */
  readonly name: string
  readonly call: GraphCall
  /** Fires when the graph has failed, or nobody waits for it any more. */
  readonly signal: AbortSignal
}

/** What a node answers where it fails, by the position of the item that fails; `null` where the graph is to fail. */
export type FallbackOf = ((item: number | null) => Promise<unknown>) | null

/** The most items that a node has under way at a time. */
const mostItems = 64
const firstPauseMs = 50
const longestPauseMs = 2_000

/** A node at work: calls its function, tries again what may pass, and answers in the place of what fails for good. */
export class NodeRun {
  readonly #options: NodeRunOptions
  readonly #endsAtMs: number
  #opened: FunctionHandle<unknown, unknown, unknown, unknown> | null = null

  constructor(options: NodeRunOptions) {
    this.#options = options
    this.#endsAtMs = performance.now() + (options.node.timeoutMs ?? Number.POSITIVE_INFINITY)
  }

  /** The answer to one input. */
  once(input: unknown, fallbackOf: FallbackOf): Promise<unknown> {
    return this.#answer(input, null, fallbackOf)
  }

  async #answer(input: unknown, item: number | null, fallbackOf: FallbackOf): Promise<unknown> {
    try {
      return await this.#infer(input)
    } catch (error) {
      return this.#recover(error, () => this.#infer(input), { item, fallbackOf })
    }
  }

  /**
   * The answers to many inputs, in their order. A function that gathers requests beside the graph gets them in batches;
   * any other gets many at a time.
   */
  async all(inputs: readonly unknown[], fallbackOf: FallbackOf): Promise<readonly unknown[]> {
    const { work } = this.#options.node
    const gathers = work.kind === 'function' && work.definition.batch && work.options.deployment === undefined
    return gathers ? this.#inBatches(inputs, fallbackOf) : this.#sideBySide(inputs, fallbackOf)
  }

  async #sideBySide(inputs: readonly unknown[], fallbackOf: FallbackOf): Promise<readonly unknown[]> {
    const answers: unknown[] = Array.from(inputs)
    const rest = inputs.entries()
    const work = async (): Promise<void> => {
      for (const [item, input] of rest) {
        this.#options.signal.throwIfAborted()
        answers[item] = await this.#answer(input, item, fallbackOf)
      }
    }
    await Promise.all(Array.from({ length: Math.min(mostItems, inputs.length) }, work))
    return answers
  }

  async #inBatches(inputs: readonly unknown[], fallbackOf: FallbackOf): Promise<readonly unknown[]> {
    const answers: unknown[] = []
    while (answers.length < inputs.length) {
      const item = answers.length
      try {
        const rest = this.#handle().inferAll(inputs.slice(item), this.#callOptions())
        for await (const answer of rest) answers.push(answer)
        break
      } catch (error) {
        // The answers come in order, so it is the next one that has failed.
        const failed = answers.length
        answers.push(
          await this.#recover(error, () => this.#infer(inputs[failed]), { item: failed, fallbackOf }),
        )
      }
    }
    return answers
  }

  async #infer(input: unknown): Promise<unknown> {
    const { work } = this.#options.node
    if (work.kind === 'function') return this.#handle().infer(input, this.#callOptions())
    const { signal, call } = this.#options
    return work.compute(input as never, { signal, log: call.log })
  }

  /** Tries again what may pass; then the fallback answers, or the failure stands. */
  async #recover(
    thrown: unknown,
    again: () => Promise<unknown>,
    { item, fallbackOf }: { readonly item: number | null; readonly fallbackOf: FallbackOf },
  ): Promise<unknown> {
    const { node, name, signal, call } = this.#options
    let error = thrown
    for (let retry = 0; retry < node.retries && mayPass(error); retry += 1) {
      const waitMs = pauseMs(error, retry)
      // What could only be tried after the deadline has failed now.
      if (signal.aborted || performance.now() + waitMs >= this.#endsAtMs) break
      await pause(waitMs, signal)
      try {
        return await again()
      } catch (further) {
        error = further
      }
    }
    signal.throwIfAborted()
    const failure = nodeFailure(error, { node: name, item })
    if (!fallbackOf) throw failure
    call.log.debug('A fallback answers in the place of a node', { node: name, error: failure })
    return fallbackOf(item)
  }

  #handle(): FunctionHandle<unknown, unknown, unknown, unknown> {
    const { node, call } = this.#options
    if (node.work.kind !== 'function') throw new TypeError('Code of a graph is not called by a handle.')
    const { definition, options } = node.work
    // Its types were checked where it was bound.
    this.#opened ??= call.handle<unknown, unknown, unknown, unknown>(definition, options)
    return this.#opened
  }

  #callOptions(): CallOptions {
    const { node, signal } = this.#options
    if (node.timeoutMs === null) return { signal }
    const timeoutMs = this.#endsAtMs - performance.now()
    if (timeoutMs > 0) return { signal, timeoutMs }
    throw new IsoplexError(
      'DEADLINE_EXCEEDED',
      `It was not done within ${node.timeoutMs} ms, its "timeoutMs".`,
    )
  }
}

function mayPass(error: unknown): boolean {
  return isIsoplexError(error) && error.retryable
}

/** How long to wait before the next try: what the error says, else twice as long each time. */
function pauseMs(error: unknown, retry: number): number {
  const details: unknown = isIsoplexError(error) ? error.details : undefined
  if (typeof details === 'object' && details !== null && 'retryAfterMs' in details) {
    return Number(details.retryAfterMs)
  }
  return Math.min(longestPauseMs, firstPauseMs * 2 ** retry)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const leave = (): void => reject(signal.reason)
  signal.addEventListener('abort', leave)
  await promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  })
}
