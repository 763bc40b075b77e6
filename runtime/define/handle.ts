import type { Definition, FunctionTypes } from './definition.ts'

/** Values, however they come. */
export type AnyIterable<Value> = Iterable<Value> | AsyncIterable<Value>

/** Which model and which deployment answer the calls of a handle. */
export interface HandleOptions {
  /**
   * The model that answers, such as `digits` or `digits@3`, by the right of whoever asked the caller. @default the model
   * that the caller's token names; without one, the function's own default
   */
  readonly model?: string
  /** The deployment that answers. @default the function's own */
  readonly deployment?: string
}

/** What one call may be told. */
export interface CallOptions {
  /** Ends the call; the caller's own signal ends it as well. */
  readonly signal?: AbortSignal
  /** How long it may take, in milliseconds; never beyond the caller's own deadline. @default until that deadline */
  readonly timeoutMs?: number
}

/** All that a request for a function says; what the function does not need may be left out. */
export type HandleRequest<Params = unknown, Query = unknown, Input = unknown> = Named<'params', Params> &
  Named<'query', Query> &
  Named<'input', Input>

/** A member that may be left out where nothing of its value is compulsory. */
type Named<Name extends string, Value> = undefined extends Value
  ? { readonly [Key in Name]?: Value }
  : object extends Value
    ? { readonly [Key in Name]?: Value | undefined }
    : { readonly [Key in Name]: Value }

/**
 * Another function, to be called as it is: values in, values out, held to its schemas; tensors and files stay what they
 * are. Calls go on side by side. A function that needs no other model than its caller's runs beside the caller; any other
 * is answered by a replica, as a request from outside would be, but without HTTP. Who pays, the token and the deadline are
 * those of the request that the caller answers.
 */
export interface FunctionHandle<Input, Output, Params = undefined, Query = undefined> {
  /**
   * One answer. A function that streams gives an async iterable.
   *
   * @throws {IsoplexError} `INPUT_INVALID`, `OUTPUT_INVALID`, `FUNCTION_NOT_FOUND`, `CALL_TOO_DEEP`,
   * `DEADLINE_EXCEEDED`, whatever keeps the model away, and whatever the function throws.
   */
  infer(input: Input, options?: CallOptions): Promise<Output>
  /**
   * The answers to many inputs in their order, computed in batches as the function defines them. No more inputs are
   * taken than the next batches need; what is not read any more ends the rest.
   */
  inferAll(inputs: AnyIterable<Input>, options?: CallOptions): AsyncIterable<Output>
  /** One answer of a function that has path or query parameters. @throws {IsoplexError} as {@link infer} */
  call(request: HandleRequest<Params, Query, Input>, options?: CallOptions): Promise<Output>
}

/** Opens a handle of a function, which a function file imports from the file that defines it. */
export type OpenHandle = <Params, Query, Input, Output>(
  fn: Definition & FunctionTypes<Params, Query, Input, Output>,
  options?: HandleOptions,
) => FunctionHandle<Input, Output, Params, Query>
