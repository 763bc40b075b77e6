import type { FunctionLog, ModelInfo } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { createCall, type HandleOpener, type InputFetch, type RunnerFacts } from './call.ts'
import { CallingRequest } from './calling-request.ts'
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
  /** The model itself, where it is loaded already: it is not freed with the function. */
  readonly held?: HeldModel
  readonly engine: Engine
  readonly log: FunctionLog
  readonly fetchInput: InputFetch
  readonly openHandle: HandleOpener
}

/** A model that somebody else has loaded, and frees. */
export interface HeldModel {
  readonly model: unknown
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

async function comeUp(wanted: FunctionToLoad, stack: AsyncDisposableStack): Promise<RunnerFacts> {
  const { name, definition, model: modelInfo, log, fetchInput, openHandle } = wanted
  const { deployment = name, options = Object.freeze({}) } = wanted
  const { model: loader } = definition
  const state = await definition.setup?.({ name, deployment, options })
  stack.defer(async () => {
    await definition.teardown?.(state)
  })
  const model = await load(wanted)
  if (modelInfo && loader && !wanted.held) stack.defer(() => loader.unload(model))
  const getModel = (): Promise<unknown> => Promise.resolve(model)
  const facts = {
    state,
    model,
    loader: modelInfo && loader ? loader : null,
    modelInfo: modelInfo ?? noModel,
    log,
    fetchInput,
    openHandle,
    getModel,
  }
  for (const input of definition.warmup ?? []) await warmUp({ definition, name }, input, facts)
  return facts
}

async function load({
  definition: { model: loader },
  model,
  held,
  engine,
}: FunctionToLoad): Promise<unknown> {
  if (held) return held.model
  return model && loader ? loader.load(model, engine) : undefined
}

async function warmUp(
  { definition, name }: Pick<FunctionToLoad, 'definition' | 'name'>,
  input: unknown,
  facts: RunnerFacts,
): Promise<void> {
  const { signal } = new AbortController()
  const decoded = { input, params: {}, query: {} }
  const place = { request: new CallingRequest(0, null), chain: [name], waits: null }
  const call = createCall({ head: warmUpHead, body: new Uint8Array(), signal, place }, decoded, facts)
  const [outcome] = await definition.answer([call], { signal })
  if (outcome instanceof Error) throw outcome
  // A stream computes only while it is read.
  if (isAsyncIterable(outcome)) for await (const _ of outcome);
}
