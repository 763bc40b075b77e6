import type { Definition } from '../../runtime/define/definition.ts'
import type { GraphCall } from '../../runtime/define/graph-run.ts'
import type { CallOptions, FunctionHandle, HandleOptions, OpenHandle } from '../../runtime/define/handle.ts'
import { callOf } from './call.ts'

/** What a test cares for in the call of a graph. */
export interface GraphCallFacts {
  readonly input?: unknown
  readonly signal?: AbortSignal
  /** Is told of every handle that is opened. */
  readonly opened?: (options: HandleOptions | undefined) => void
  /** Is told of what each call is told. */
  readonly called?: (options: CallOptions | undefined) => void
}

/** The call of a graph whose nodes answer beside it, as the functions of one runner do; schemas are not looked at. */
export function graphCall(facts: GraphCallFacts = {}): GraphCall {
  const { input, signal = new AbortController().signal, opened, called } = facts
  const open = (fn: unknown, options?: HandleOptions): FunctionHandle<unknown, unknown> => {
    opened?.(options)
    return handleOf(fn as Definition, called)
  }
  return { ...callOf({ input, signal }), handle: open as OpenHandle }
}

function handleOf(
  definition: Definition,
  called: GraphCallFacts['called'],
): FunctionHandle<unknown, unknown> {
  const answer = async (
    inputs: readonly unknown[],
    options: CallOptions = {},
  ): Promise<readonly unknown[]> => {
    called?.(options)
    const { signal = new AbortController().signal } = options
    return definition.answer(
      inputs.map((input) => callOf({ input, signal })),
      { signal },
    )
  }
  const infer = async (input: unknown, options?: CallOptions): Promise<unknown> => {
    const [outcome] = await answer([input], options)
    if (outcome instanceof Error) throw outcome
    return outcome
  }
  return {
    infer,
    call: (request, options) => infer(request.input, options),
    async *inferAll(inputs, options) {
      const all = await Array.fromAsync(inputs)
      const size = definition.batch?.maxSize ?? 1
      for (let start = 0; start < all.length; start += size) {
        for (const outcome of await answer(all.slice(start, start + size), options)) {
          if (outcome instanceof Error) throw outcome
          yield outcome
        }
      }
    },
  }
}
