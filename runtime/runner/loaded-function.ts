import type { FunctionLog, ModelInfo } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { createCall, type InputFetch, type RunnerFacts } from './call.ts'
import { isAsyncIterable } from './encoder.ts'
import type { RequestHead } from './head.ts'

/** A function and what it needs to come up. */
export interface FunctionToLoad {
  readonly name: string
  /** The name of its deployment. @default the function's own */
  readonly deployment?: string
  /** What the deployment's `options` say. @default an empty object */
  readonly options?: unknown
  readonly definition: Definition
  /** The model to load; `null` for a function without one. */
  readonly model: ModelInfo | null
  readonly engine: Engine
  readonly log: FunctionLog
  readonly fetchInput: InputFetch
}

/** A function with its state and its model. */
export interface LoadedFunction {
  readonly facts: RunnerFacts
  /** Frees the model, then the function's state; what fails does not keep the other from being freed. */
  dispose(): Promise<void>
}

const noModel: ModelInfo = Object.freeze({ id: '', version: '', path: '' })
const warmUpHead: RequestHead = Object.freeze({
  requestId: 'warmup',
  principal: 'warmup',
  method: 'POST',
  url: '/',
  params: Object.freeze({}),
  contentType: null,
  accept: null,
  headers: Object.freeze([]),
})

/**
 * Sets a function up, loads its model and runs the warm-up inputs. Where one of these fails, what has come up
 * before it is freed, and the failure is thrown.
 */
export async function loadFunction(wanted: FunctionToLoad): Promise<LoadedFunction> {
  const held = new AsyncDisposableStack()
  try {
    const facts = await comeUp(wanted, held)
    return { facts, dispose: () => held.disposeAsync() }
  } catch (error) {
    await held.disposeAsync().catch((further: unknown) => {
      wanted.log.error('A function could not be taken down', { function: wanted.name, error: further })
    })
    throw error
  }
}

async function comeUp(wanted: FunctionToLoad, held: AsyncDisposableStack): Promise<RunnerFacts> {
  const { name, definition, model: modelInfo, engine, log, fetchInput } = wanted
  const { deployment = name, options = Object.freeze({}) } = wanted
  const { model: loader } = definition
  const state = await definition.setup?.({ name, deployment, options })
  held.defer(async () => {
    await definition.teardown?.(state)
  })
  const model = modelInfo && loader ? await loader.load(modelInfo, engine) : undefined
  if (modelInfo && loader) held.defer(() => loader.unload(model))
  const getModel = (): Promise<unknown> => Promise.resolve(model)
  const facts = { state, model, modelInfo: modelInfo ?? noModel, log, fetchInput, getModel }
  for (const input of definition.warmup ?? []) await warmUp(definition, input, facts)
  return facts
}

async function warmUp(definition: Definition, input: unknown, facts: RunnerFacts): Promise<void> {
  const { signal } = new AbortController()
  const decoded = { input, params: {}, query: {} }
  const call = createCall({ head: warmUpHead, body: new Uint8Array(), signal }, decoded, facts)
  const [outcome] = await definition.answer([call], { signal })
  if (outcome instanceof Error) throw outcome
  // A stream computes only while it is read.
  if (isAsyncIterable(outcome)) for await (const _ of outcome);
}
