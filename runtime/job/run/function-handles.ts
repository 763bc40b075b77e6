import type { AnyIterable, FunctionHandle } from '../../define/action-context.ts'
import type { FunctionLog, ModelInfo } from '../../define/context.ts'
import { type Definition, isDefinition } from '../../define/definition.ts'
import type { Engine } from '../../engine/engine.ts'
import type { InputFetch } from '../../runner/call.ts'
import type { RequestHead } from '../../runner/head.ts'
import { loadFailure } from '../../runner/load-failure.ts'
import { type LoadedFunction, loadFunction } from '../../runner/loaded-function.ts'
import { inferInBatches } from './batched-inference.ts'
import { createFunctionCalls, type FunctionCalls } from './function-calls.ts'

/** What functions need that an action calls in its own process. */
export interface FunctionHandlesOptions {
  readonly prepareModel: (modelId: string) => Promise<ModelInfo>
  readonly engine: Engine
  readonly log: FunctionLog
  readonly fetchInput: InputFetch
  /** The head of the request that submitted the job: whoever asks the functions is who submitted it. */
  readonly head: RequestHead
  /** The model that the submitter's token names; `null` without one. */
  readonly modelId: string | null
}

/** The functions that an action calls in its own process. Each is loaded once for each of its models. */
export class FunctionHandles {
  readonly #options: FunctionHandlesOptions
  /** By function, then by the model's id; `null` is that of functions without a model. */
  readonly #loaded = new Map<Definition, Map<string | null, Promise<LoadedFunction>>>()

  constructor(options: FunctionHandlesOptions) {
    this.#options = options
  }

  /**
   * A handle of a function; it is loaded by its first call. `signal` is what the function sees.
   *
   * @throws {TypeError} where it is no function that can be called so, or there is no saying which model is to answer.
   */
  open(
    definition: unknown,
    model: string | undefined,
    signal: AbortSignal,
  ): FunctionHandle<unknown, unknown> {
    const known = assertCallableFunction(definition)
    const modelId = this.#modelOf(known, model)
    const { head } = this.#options
    const calls = createFunctionCalls({ definition: known, head, load: () => this.#load(known, modelId) })
    return {
      infer: async (input) => {
        const [outcome] = await calls([input], signal)
        if (outcome instanceof Error) throw outcome
        return outcome
      },
      inferAll: (inputs) => inferAll(known, calls, inputs, signal),
    }
  }

  /** Frees all that was loaded. What fails does not keep the rest from being freed. */
  async dispose(): Promise<void> {
    const loaded = [...this.#loaded.values()].flatMap((byModel) => [...byModel.values()])
    this.#loaded.clear()
    const settled = await Promise.allSettled(
      loaded.map(async (loading) => {
        const up = await loading.catch(() => null)
        await up?.dispose()
      }),
    )
    for (const outcome of settled) {
      if (outcome.status === 'rejected') {
        this.#options.log.error('A function could not be taken down', { error: outcome.reason })
      }
    }
  }

  #modelOf({ name, model: loader }: Definition, wished: string | undefined): string | null {
    if (!loader) {
      if (wished === undefined) return null
      throw new TypeError(`"model" names the model of a function without one; got ${wished}.`)
    }
    const modelId = wished ?? this.#options.modelId ?? loader.default
    if (modelId !== undefined) return modelId
    const which = name === undefined ? 'the function' : `"${name}"`
    throw new TypeError(`"model" must be given: neither the job's token nor ${which} names one.`)
  }

  #load(definition: Definition, modelId: string | null): Promise<LoadedFunction> {
    const byModel = this.#loaded.get(definition) ?? new Map<string | null, Promise<LoadedFunction>>()
    this.#loaded.set(definition, byModel)
    const known = byModel.get(modelId)
    if (known) return known
    const loading = this.#comeUp(definition, modelId)
    byModel.set(modelId, loading)
    // What did not come up is tried again by the next call.
    loading.catch(() => byModel.delete(modelId))
    return loading
  }

  async #comeUp(definition: Definition, modelId: string | null): Promise<LoadedFunction> {
    const { prepareModel, engine, log, fetchInput } = this.#options
    const name = definition.name ?? 'a function'
    const model = modelId === null ? null : await prepareModel(modelId)
    try {
      return await loadFunction({ name, definition, model, engine, log, fetchInput })
    } catch (error) {
      log.error('A function could not be loaded', { function: name, model: modelId, error })
      throw loadFailure(error, { name, model: modelId, log: "the server's log" })
    }
  }
}

function inferAll(
  { batch }: Definition,
  calls: FunctionCalls,
  inputs: AnyIterable<unknown>,
  signal: AbortSignal,
): AsyncIterable<unknown> {
  return inferInBatches(inputs, {
    batchSize: batch?.maxSize ?? 1,
    answer: (some) => calls(some, signal),
  })
}

function assertCallableFunction(value: unknown): Definition {
  if (!isDefinition(value)) {
    throw new TypeError('handle() takes what defineFunction or defineInference has made.')
  }
  if (value.kind !== 'action') return value
  throw new TypeError('handle() takes no action: an action is a job of its own.')
}
