import type { Static, TSchema } from '@sinclair/typebox'
import type { ActionContext } from './action-context.ts'
import type { Awaitable, StaticOf } from './context.ts'
import { brandDefinition, type Definition, type FunctionTypes, settleEach } from './definition.ts'
import type { DeploymentProgram } from './deployment.ts'
import { modelIdsIn } from './model-id.ts'
import { assertCallable, assertCount, assertOptions, type FunctionOptions } from './options.ts'
import type { ConcludeContext, Step } from './step.ts'
import { createStepRegistry } from './step-registry.ts'

/** What an action may say of itself. */
export interface ActionOptions
  extends Pick<FunctionOptions, 'name' | 'route' | 'description' | 'access' | 'maxBodyBytes'> {
  /** What kind of plugin it is, such as `neural_net`. @default none */
  readonly category?: string
  /** How long one job may take in all, in milliseconds. @default `jobTimeoutMs` of the configuration */
  readonly timeoutMs?: number
  /** Models that it may use where no token is sent. @default none */
  readonly models?: readonly string[]
  /**
   * The categories of its progress with their weights, for an action without steps.
   *
   * @default `{ model_load: 1, inference: 8, postprocess: 1 }`
   */
  readonly progress?: Readonly<Record<string, number>>
  /** Inputs in one call of `infer`. @default 1 */
  readonly batchSize?: number
}

/** What a job of an action gives: a value, or a stream of values, of which each is held to the schema. */
export type ActionResult<Result extends TSchema | undefined> = Result extends TSchema
  ? Static<Result> | AsyncIterable<Static<Result>>
  : unknown

interface ActionBase<Params extends TSchema | undefined, Result extends TSchema | undefined, Input, Output>
  extends ActionOptions {
  /** The parameters of a job. Without it there are none. */
  readonly params?: Params
  /** The result, or each item of a streamed one. Without it the result is not checked. */
  readonly result?: Result
  /** Answers one batch of inputs, in their order; `context.infer` calls it. */
  infer?(inputs: readonly Input[], context: ActionContext<StaticOf<Params>>): Awaitable<readonly Output[]>
}

/** An action whose work is one function. */
export interface SimpleAction<
  Params extends TSchema | undefined,
  Result extends TSchema | undefined,
  Input,
  Output,
> extends ActionBase<Params, Result, Input, Output> {
  execute(context: ActionContext<StaticOf<Params>, Input, Output>): Awaitable<ActionResult<Result>>
  readonly steps?: never
  readonly conclude?: never
}

/** An action whose work is done step by step, each recorded. */
export interface SteppedAction<
  Params extends TSchema | undefined,
  Result extends TSchema | undefined,
  Input,
  Output,
> extends ActionBase<Params, Result, Input, Output> {
  /** The steps in their order: a list, or a registry of steps. */
  readonly steps: Iterable<Step<StaticOf<Params>, NoInfer<Input>, NoInfer<Output>>>
  /**
   * Makes the result once all steps have ended.
   *
   * @default `{ success, stepsExecuted, stepsTotal, processedCount }`, and `results` where there are any
   */
  conclude?(
    context: ConcludeContext<StaticOf<Params>, NoInfer<Input>, NoInfer<Output>>,
  ): Awaitable<ActionResult<Result>>
  readonly execute?: never
}

/** What {@link defineAction} takes. */
export type ActionDefinition<
  Params extends TSchema | undefined,
  Result extends TSchema | undefined,
  Input,
  Output,
> = SimpleAction<Params, Result, Input, Output> | SteppedAction<Params, Result, Input, Output>

/** What an action does, as the process that runs its jobs sees it: its types have been checked by the compiler. */
export interface ActionProgram {
  readonly category: string | null
  readonly timeoutMs: number | null
  readonly models: readonly string[]
  readonly result: TSchema | undefined
  /** The weights of the categories; of the steps, where it has steps. */
  readonly weights: Readonly<Record<string, number>>
  readonly batchSize: number
  readonly infer:
    | ((inputs: readonly unknown[], context: ActionContext) => Awaitable<readonly unknown[]>)
    | null
  readonly execute: ((context: ActionContext) => Awaitable<unknown>) | null
  readonly steps: readonly Step[] | null
  readonly conclude: ((context: ConcludeContext) => Awaitable<unknown>) | null
  /** What it deploys; `null` for an action that deploys nothing. */
  readonly deployment: DeploymentProgram | null
}

/** What the runner of an action answers once a job's parameters have been checked. */
export interface Admission {
  /** The ids of models among the parameters: whoever submits must have a right to each. */
  readonly models: readonly string[]
}

const usualWeights = Object.freeze({ model_load: 1, inference: 8, postprocess: 1 })

/**
 * Defines an action: work that takes long, done as a job with progress, in a process of its own, that survives deaths.
 * `POST` to its route submits a job.
 *
 * @example
 * export default defineAction({
 *   params: Type.Object({ modelId: modelId(), count: Type.Integer({ minimum: 1 }) }),
 *   result: Type.Object({ mean: Type.Number() }),
 *   async execute({ params, session, setProgress }) {
 *     const model = await session(params.modelId)
 *     setProgress(1, 1, 'model_load')
 *     return { mean: await meanOf(model, params.count) }
 *   },
 * })
 *
 * @throws {TypeError} where an option is outside its bounds, a step is registered twice, or neither or both of
 * `execute` and `steps` are there.
 */
export function defineAction<
  Params extends TSchema | undefined = undefined,
  Result extends TSchema | undefined = undefined,
  Input = unknown,
  Output = unknown,
>(
  definition: ActionDefinition<Params, Result, Input, Output>,
): Definition & { readonly kind: 'action' } & FunctionTypes<
    undefined,
    undefined,
    StaticOf<Params>,
    Result extends TSchema ? Static<Result> : unknown
  >
export function defineAction(definition: AnyAction): Definition {
  return createAction(definition, null)
}

/** Makes the definition of an action. @throws {TypeError} as {@link defineAction}. */
export function createAction(definition: AnyAction, deployment: DeploymentProgram | null): Definition {
  const {
    params,
    category,
    models,
    progress,
    batchSize,
    infer,
    execute,
    steps,
    conclude,
    result,
    ...options
  } = definition
  // A job's own limit is none on the request that submits it.
  const { timeoutMs, ...served } = options
  assertOptions(options)
  if (Object.hasOwn(options, 'input')) throw new TypeError('An action takes its "input" as "params".')
  if (models !== undefined && !Array.isArray(models)) {
    throw new TypeError(`"models" must be a list of models; got ${typeof models}.`)
  }
  if (batchSize !== undefined) assertCount('batchSize', batchSize)
  for (const [name, value] of Object.entries({ infer, execute, conclude })) {
    if (value !== undefined) assertCallable(name, value)
  }
  if ((execute === undefined) === (steps === undefined)) {
    throw new TypeError('An action has either "execute" or "steps".')
  }
  const listed = steps === undefined ? null : Object.freeze([...createStepRegistry(steps)])
  if (listed?.length === 0) throw new TypeError('"steps" must hold at least one step.')
  const action: ActionProgram = Object.freeze({
    category: category ?? null,
    timeoutMs: timeoutMs ?? null,
    models: Object.freeze([...(models ?? [])]),
    result,
    weights: listed ? weightsOf(listed) : assertWeights(progress ?? usualWeights),
    batchSize: batchSize ?? 1,
    infer: infer ?? null,
    execute: execute ?? null,
    steps: listed,
    conclude: conclude ?? null,
    deployment,
  })
  return brandDefinition({
    ...served,
    ...(params === undefined ? {} : { input: params }),
    kind: 'action',
    methods: Object.freeze(['POST' as const]),
    action,
    // In a runner, an action only says whether a job's parameters will do.
    answer: (calls) =>
      settleEach(calls, (call): Admission => ({ models: params ? modelIdsIn(params, call.input) : [] })),
  })
}

/** An action as it is taken apart: the compiler has checked what its types promise. */
export interface AnyAction extends ActionOptions {
  readonly params?: TSchema
  readonly result?: TSchema
  readonly infer?: NonNullable<ActionProgram['infer']>
  readonly execute?: NonNullable<ActionProgram['execute']>
  readonly steps?: Iterable<Step>
  readonly conclude?: NonNullable<ActionProgram['conclude']>
}

function weightsOf(steps: Iterable<Step>): Readonly<Record<string, number>> {
  return Object.freeze(Object.fromEntries([...steps].map(({ name, weight }) => [name, weight])))
}

function assertWeights(weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  for (const [category, weight] of Object.entries(weights)) {
    if (Number.isFinite(weight) && weight >= 0) continue
    throw new TypeError(`"progress.${category}" must be a number from 0; got ${weight}.`)
  }
  return Object.freeze({ ...weights })
}
