import type { TObject, TSchema } from '@sinclair/typebox'
import type { ActionProgram } from './action.ts'
import type { Awaitable, ModelContext, RawRequest, RequestContext, RunnerContext } from './context.ts'
import type { GraphProgram } from './graph-program.ts'
import type { ModelLoader } from './model.ts'
import type { BatchOptions, FunctionOptions, FunctionSchemas, Method } from './options.ts'

const definitionBrand = Symbol.for('isoplex.definition')

/** What `setup` gets. */
export interface SetupContext {
  /** The function's name. */
  readonly name: string
  /** The name of the deployment whose runner this is; the function's name for its own deployment, and in a page. */
  readonly deployment: string
  /** What the deployment's `options` say: any JSON. @default an empty object */
  readonly options: unknown
}

/** What all kinds of definition hold once they are made; what the builder, the runner and the page read. */
export interface Definition
  extends FunctionOptions,
    FunctionSchemas<TObject | undefined, TObject | undefined, TSchema | undefined, TSchema | undefined> {
  readonly kind: 'function' | 'inference' | 'action' | 'graph'
  readonly methods: readonly Method[]
  readonly batch?: BatchOptions | undefined
  readonly model?: ModelLoader<unknown>
  readonly warmup?: readonly unknown[]
  /** What the jobs of an action do; none for functions. */
  readonly action?: ActionProgram
  /** What a graph is made of; none for other functions. */
  readonly graph?: GraphProgram
  setup?(context: SetupContext): unknown
  teardown?(state: unknown): unknown
  /**
   * Answers the calls of one batch with as many outcomes, in their order; an `Error` fails its own call only.
   * A rejection fails them all. The signal of `callers` fires when every caller has gone.
   */
  readonly answer: (calls: readonly Call[], callers: Callers) => Promise<readonly unknown[]>
}

/** Those who wait for the answers of one batch. */
export interface Callers {
  /** Fires when every one of them has gone. It may be made when it is first asked for. */
  readonly signal: AbortSignal
}

/** One request, decoded and checked, with what its runner holds: the widest context that a function may get. */
export interface Call extends RequestContext, RunnerContext<unknown>, ModelContext<unknown> {
  readonly input: unknown
  readonly request: RawRequest
}

/** What a client needs to know of a function: its types, carried by a property that exists for the compiler only. */
export interface FunctionTypes<Params, Query, Input, Output> {
  readonly types?: {
    readonly params: Params
    readonly query: Query
    readonly input: Input
    readonly output: Output
  }
}

/** Brands and freezes a definition. */
export function brandDefinition<D extends Definition>(definition: D): D {
  return Object.freeze(Object.defineProperty(definition, definitionBrand, { value: true }))
}

/** Whether a module's default export was made by a `define…`. It tests a shared symbol, so copies agree. */
export function isDefinition(value: unknown): value is Definition {
  return typeof value === 'object' && value !== null && definitionBrand in value
}

/** Answers each call by itself: what one throws becomes its own outcome. */
export async function settleEach(
  calls: readonly Call[],
  answer: (call: Call) => Awaitable<unknown>,
): Promise<readonly unknown[]> {
  const [only] = calls
  if (only && calls.length === 1) {
    try {
      return [await answer(only)]
    } catch (error) {
      return [toError(error)]
    }
  }
  const settled = await Promise.allSettled(calls.map(async (call) => answer(call)))
  return settled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : toError(outcome.reason)))
}

/** What was thrown, as an error: whatever else it is becomes the cause of one. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('The function threw something that is no Error.', { cause: thrown })
}
