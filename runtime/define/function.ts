import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type { Awaitable, RawRequest, RequestContext, RunnerContext, StaticOf } from './context.ts'
import {
  brandDefinition,
  type Definition,
  type FunctionTypes,
  type SetupContext,
  settleEach,
} from './definition.ts'
import {
  assertCallable,
  assertOptions,
  type FunctionOptions,
  type FunctionSchemas,
  type Method,
} from './options.ts'

/** What an edge function's handler gets. */
export interface FunctionContext<Params, Query, Input, State>
  extends RequestContext<Params, Query>,
    RunnerContext<State> {
  /** The body, decoded and checked; `undefined` where the function has no `input` schema. */
  readonly input: Input
  /** The request as the client sent it. */
  readonly request: RawRequest
}

/** What a handler may return: a value, a stream of values, or a whole response of its own. */
export type HandlerResult<Output extends TSchema | undefined> = Output extends TSchema
  ? Static<Output> | AsyncIterable<Static<Output>> | Response
  : unknown

/** What {@link defineFunction} takes. */
export interface FunctionDefinition<
  Params extends TObject | undefined,
  Query extends TObject | undefined,
  Input extends TSchema | undefined,
  Output extends TSchema | undefined,
  State,
  Result,
> extends FunctionOptions,
    FunctionSchemas<Params, Query, Input, Output> {
  /** The methods answered. @default 'POST' where there is an `input`, else 'GET' */
  readonly method?: Method | readonly Method[]
  /** Runs once in each runner before its first request; what it returns is `state`. */
  readonly setup?: (context: SetupContext) => Awaitable<State>
  /** Runs once when the runner ends. */
  teardown?(state: NoInfer<State>): Awaitable<void>
  readonly handler: (
    context: FunctionContext<StaticOf<Params>, StaticOf<Query>, StaticOf<Input>, NoInfer<State>>,
  ) => Awaitable<Result>
}

/**
 * Defines an edge function: request in, a value, a stream or a `Response` out, no model.
 *
 * A value is sent as JSON, a file or tensor as its bytes; an async iterable is streamed
 * as server-sent events or lines of JSON, as the client's `Accept` has it. What the handler throws is shown
 * as `INTERNAL` with its text hidden, unless it is an `IsoplexError`.
 *
 * @example
 * export default defineFunction({
 *   params: Type.Object({ name: Type.String() }),
 *   access: 'public',
 *   handler: ({ params }) => ({ message: `Hello, ${params.name}!` }),
 * })
 *
 * @throws {TypeError} where an option is outside its bounds.
 */
export function defineFunction<
  Params extends TObject | undefined = undefined,
  Query extends TObject | undefined = undefined,
  Input extends TSchema | undefined = undefined,
  Output extends TSchema | undefined = undefined,
  State = undefined,
  Result extends HandlerResult<Output> = HandlerResult<Output>,
>(
  definition: FunctionDefinition<Params, Query, Input, Output, State, Result>,
): Definition & { readonly kind: 'function' } & FunctionTypes<
    StaticOf<Params>,
    StaticOf<Query>,
    StaticOf<Input>,
    Result
  > {
  assertOptions(definition)
  const { method, handler, ...rest } = definition
  assertCallable('handler', handler)
  const methods =
    method === undefined ? [definition.input ? ('POST' as const) : ('GET' as const)] : [method].flat()
  return brandDefinition({
    ...(rest as Omit<Definition, 'kind' | 'methods' | 'answer'>),
    kind: 'function' as const,
    methods: Object.freeze(methods),
    // The runner has checked params, query and input against the schemas that type the handler.
    answer: (calls) => settleEach(calls, (call) => handler(call as unknown as Parameters<typeof handler>[0])),
  })
}
