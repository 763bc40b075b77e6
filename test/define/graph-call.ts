import { Type } from '@sinclair/typebox'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { edgeFactsOf } from '../../runtime/define/graph-edge.ts'
import { nameNodes } from '../../runtime/define/graph-names.ts'
import type { GraphInput } from '../../runtime/define/graph-program.ts'
import type { GraphCall } from '../../runtime/define/graph-run.ts'
import { runGraph } from '../../runtime/define/graph-run.ts'
import { surveyGraph } from '../../runtime/define/graph-survey.ts'
import { toGraphValue } from '../../runtime/define/graph-value.ts'
import type { CallOptions, FunctionHandle, HandleOptions, OpenHandle } from '../../runtime/define/handle.ts'
import { callOf } from './call.ts'

/** What a test cares for in the call of a graph. */
export interface GraphCallFacts {
  readonly input?: unknown
  readonly signal?: AbortSignal
  /** Is told what is logged for those who look for mistakes. */
  readonly logged?: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  /** Is told of every handle that is opened. */
  readonly opened?: (options: HandleOptions | undefined) => void
  /** Is told of what each call is told. */
  readonly called?: (options: CallOptions | undefined) => void
}

/** The call of a graph whose nodes answer beside it, as the functions of one runner do; schemas are not looked at. */
export function graphCall(facts: GraphCallFacts = {}): GraphCall {
  const { input, signal = new AbortController().signal, opened, called, logged } = facts
  const open = (fn: unknown, options?: HandleOptions): FunctionHandle<unknown, unknown> => {
    opened?.(options)
    return handleOf(fn as Definition, called)
  }
  const call = callOf({ input, signal })
  const log = logged ? { ...call.log, debug: logged } : call.log
  return { ...call, log, handle: open as OpenHandle }
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

/** Runs what an answer is made of. */
export async function runAnswer(
  answer: unknown,
  facts: GraphCallFacts = {},
  given?: unknown,
): Promise<unknown> {
  const origin = given === undefined ? null : (edgeFactsOf(given)?.origin as GraphInput)
  const program = surveyGraph(origin, toGraphValue(answer))
  const names = nameNodes(program.nodes, () => undefined)
  return runGraph(program, graphCall(facts), (node) => names.get(node) ?? '')
}

/** A function that answers when it is told to, and tells when it is asked. */
export function gated(): {
  readonly fn: ReturnType<typeof wait>
  readonly asked: Promise<void>
  readonly signal: () => AbortSignal | undefined
  readonly open: (value: unknown) => void
} {
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<unknown>()
  let signal: AbortSignal | undefined
  function wait() {
    return defineFunction({
      input: Type.Unknown(),
      handler: async (context) => {
        signal = context.signal
        asked.resolve()
        const gone = new Promise((_, reject) =>
          context.signal.addEventListener('abort', () => reject(context.signal.reason)),
        )
        return Promise.race([gate.promise, gone])
      },
    })
  }
  return { fn: wait(), asked: asked.promise, signal: () => signal, open: gate.resolve }
}
