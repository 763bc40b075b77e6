import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type {
  Awaitable,
  ModelContext,
  RawRequest,
  RequestContext,
  RunnerContext,
  StaticOf,
} from './context.ts'
import {
  brandDefinition,
  type Call,
  type Callers,
  type Definition,
  type FunctionTypes,
  type SetupContext,
  settleEach,
} from './definition.ts'
import type { ModelLoader } from './model.ts'
import {
  assertCallable,
  assertOptions,
  type BatchOptions,
  type FunctionOptions,
  type FunctionSchemas,
} from './options.ts'

/** What `infer` gets beside one input. */
export interface InferenceContext<Params, Query, Model, State>
  extends RequestContext<Params, Query>,
    RunnerContext<State>,
    ModelContext<Model> {
  /** The request as the client sent it. */
  readonly request: RawRequest
}

/** What `infer` gets beside the inputs of a batch. */
export interface BatchContext<Params, Query, Model, State> extends RunnerContext<State>, ModelContext<Model> {
  /** What differs from request to request, in the order of the inputs. */
  readonly requests: readonly InferenceContext<Params, Query, Model, State>[]
  /** Fires when every caller of the batch has gone or run out of time. */
  readonly signal: AbortSignal
}

/** One answer: a value, or a stream of values. */
export type InferenceResult<Output extends TSchema | undefined> = Output extends TSchema
  ? Static<Output> | AsyncIterable<Static<Output>>
  : unknown

interface InferenceOptions<
  Params extends TObject | undefined,
  Query extends TObject | undefined,
  Input extends TSchema,
  Output extends TSchema | undefined,
  Model,
  State,
> extends FunctionOptions,
    FunctionSchemas<Params, Query, Input, Output> {
  readonly input: Input
  /** How the model is loaded: {@link onnx} or {@link multiplexed}. */
  readonly model: ModelLoader<Model>
  /** Inputs that are inferred right after a load, before the first request. @default none */
  readonly warmup?: readonly Static<Input>[]
  /** Runs once in each runner before the model is loaded; what it returns is `state`. */
  readonly setup?: (context: SetupContext) => Awaitable<State>
  /** Runs once when the runner ends. */
  teardown?(state: NoInfer<State>): Awaitable<void>
}

/** The one or the other, by whether a function gathers its requests; neither where that is not known. */
type ByBatch<Batch, Batched, Single> = [Batch] extends [undefined]
  ? Single
  : [Batch] extends [BatchOptions]
    ? Batched
    : never

/** What `infer` returns. */
type InferenceReturn<Output extends TSchema | undefined, Batch> = ByBatch<
  Batch,
  readonly (InferenceResult<Output> | Error)[],
  InferenceResult<Output>
>

/** What one request gets of what `infer` returns. */
type AnswerOf<Batch, Return> = ByBatch<
  Batch,
  Return extends readonly (infer Answer)[] ? Exclude<Answer, Error> : never,
  Return
>

/** What {@link defineInference} takes. With `batch`, `infer` gets a list of inputs; without, one. */
export interface InferenceDefinition<
  Params extends TObject | undefined,
  Query extends TObject | undefined,
  Input extends TSchema,
  Output extends TSchema | undefined,
  Model,
  State,
  Batch extends BatchOptions | undefined,
  Return,
> extends InferenceOptions<Params, Query, Input, Output, Model, State> {
  /** How requests are gathered. A batch never mixes models. @default each request is inferred by itself */
  readonly batch?: Batch
  /**
   * Returns the result; with `batch`, as many results as inputs, in their order, where an `Error` fails its
   * request only.
   */
  readonly infer: (
    input: ByBatch<NoInfer<Batch>, readonly Static<Input>[], Static<Input>>,
    context: ByBatch<
      NoInfer<Batch>,
      BatchContext<StaticOf<Params>, StaticOf<Query>, Model, NoInfer<State>>,
      InferenceContext<StaticOf<Params>, StaticOf<Query>, Model, NoInfer<State>>
    >,
  ) => Awaitable<Return>
}

/** What {@link defineInference} takes where each request is inferred by itself. */
export type SingleInference<
  Params extends TObject | undefined,
  Query extends TObject | undefined,
  Input extends TSchema,
  Output extends TSchema | undefined,
  Model,
  State,
  Result,
> = InferenceDefinition<Params, Query, Input, Output, Model, State, undefined, Result>

/** What {@link defineInference} takes where requests for one model are inferred together. */
export type BatchedInference<
  Params extends TObject | undefined,
  Query extends TObject | undefined,
  Input extends TSchema,
  Output extends TSchema | undefined,
  Model,
  State,
  Result,
> = InferenceDefinition<
  Params,
  Query,
  Input,
  Output,
  Model,
  State,
  BatchOptions,
  readonly (Result | Error)[]
> & { readonly batch: BatchOptions }

/**
 * Defines an inference function: it answers `POST` with the model that the request's token names.
 *
 * With `batch`, `infer` gets an array of inputs and returns an array of results; without, one of each.
 *
 * @example
 * export default defineInference({
 *   input: tensorOf('float32', ['batch', 4]),
 *   output: tensorOf('float32', ['batch', 3]),
 *   model: onnx({ default: 'iris', inputs: ['x'], outputs: ['scores'] }),
 *   infer: async (x, { model }) => (await model.run({ x })).scores as Tensor<'float32'>,
 * })
 *
 * @throws {TypeError} where an option is outside its bounds.
 */
export function defineInference<
  Params extends TObject | undefined = undefined,
  Query extends TObject | undefined = undefined,
  Input extends TSchema = TSchema,
  Output extends TSchema | undefined = undefined,
  Model = unknown,
  State = undefined,
  Batch extends BatchOptions | undefined = undefined,
  Return extends InferenceReturn<Output, Batch> = InferenceReturn<Output, Batch>,
>(
  definition: InferenceDefinition<Params, Query, Input, Output, Model, State, Batch, Return>,
): Definition & { readonly kind: 'inference' } & FunctionTypes<
    StaticOf<Params>,
    StaticOf<Query>,
    Static<Input>,
    AnswerOf<Batch, Return>
  >
export function defineInference(definition: AnyInference): Definition {
  assertOptions(definition)
  const { infer, ...rest } = definition
  assertCallable('infer', infer)
  return brandDefinition({
    ...rest,
    kind: 'inference',
    methods: Object.freeze(['POST' as const]),
    answer: definition.batch
      ? (calls, callers) => answerBatch(infer, calls, callers)
      : (calls) => settleEach(calls, (call) => infer(call.input, call)),
  })
}

/** The two forms as the runner sees them: it has checked what their types promise. */
interface AnyInference extends Omit<Definition, 'kind' | 'methods' | 'answer'> {
  infer(input: unknown, context: unknown): Awaitable<unknown>
}

async function answerBatch(
  infer: AnyInference['infer'],
  calls: readonly Call[],
  callers: Callers,
): Promise<readonly unknown[]> {
  const [first] = calls
  if (!first) return []
  const { state, model, modelId, modelInfo } = first
  const inputs = calls.map((call) => call.input)
  const context = {
    state,
    model,
    modelId,
    modelInfo,
    getModel: () => first.getModel(),
    requests: calls,
    get signal() {
      return callers.signal
    },
  }
  const results = await infer(inputs, context)
  if (Array.isArray(results) && results.length === calls.length) return results
  const got = Array.isArray(results) ? `${results.length} results` : typeof results
  throw new Error(
    `infer() must return one result for each of the ${calls.length} inputs; it returned ${got}.`,
  )
}
