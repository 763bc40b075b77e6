import type { FileValue } from '../define/file-value.ts'
import type { Tensor } from '../engine/tensor.ts'
import type { RouteList } from '../page/route-list.ts'
import type { TextValues } from '../runner/url-text.ts'
import type { Answered } from './answered.ts'
import type { CallOptions, SubmitOptions } from './errand.ts'
import type { JobHandle } from './job-handle.ts'
import type { Jobs } from './jobs.ts'

/** The functions of a server by their names, and what it says of them. */
export type Client<Routes> = { readonly [Name in keyof Routes]: Handle<Name, Routes[Name]> } & {
  /** Asks the server for its functions. A function of this name is out of a client's reach. */
  routes(): Promise<RouteList>
  readonly jobs: Jobs
}

/** Functions of which no more is known than that they have names. */
export interface AnyRoutes {
  readonly [name: string]: {
    readonly kind: 'function' | 'inference' | 'action' | 'graph'
    readonly types?: AnyTypes
  }
}

interface AnyTypes {
  readonly params: unknown
  readonly query: unknown
  readonly input: unknown
  readonly output: unknown
}

/** How a function is called, by its kind. */
export type Handle<Name, Fn> = Fn extends { readonly kind: infer Kind; readonly types?: infer Types }
  ? ('inference' extends Kind ? InferenceHandle<Name, Typed<Types>> : unknown) &
      ('graph' extends Kind ? InferenceHandle<Name, Typed<Types>> : unknown) &
      ('function' extends Kind ? EdgeHandle<Name, Typed<Types>> : unknown) &
      ('action' extends Kind ? ActionHandle<Name, Typed<Types>> : unknown)
  : never

/** How an inference function or a graph is called. */
export interface InferenceHandle<Name, Types extends AnyTypes> {
  /** Has a model answer. @throws {IsoplexError} whatever the call fails with: see {@link makeCall} */
  infer(
    input: Given<Types['input']>,
    ...options: Arguments<
      CallOptions & Texts<'params', ParamsOf<Name, Types>> & Texts<'query', Types['query']>
    >
  ): Promise<Answered<Received<Types['output']>>>
}

/** How an edge function is called. */
export interface EdgeHandle<Name, Types extends AnyTypes> {
  /** Has the function answer. @throws {IsoplexError} whatever the call fails with: see {@link makeCall} */
  call(
    ...options: Arguments<
      CallOptions &
        Texts<'params', ParamsOf<Name, Types>> &
        Texts<'query', Types['query']> &
        Member<'input', Given<Types['input']>>
    >
  ): Promise<Answered<Received<Types['output']>>>
}

/** How jobs of an action are submitted. */
export interface ActionHandle<Name, Types extends AnyTypes> {
  /** Submits a job, which then goes on by itself. @throws {IsoplexError} whatever the call fails with: see {@link makeCall} */
  submit(
    ...call: SubmitArguments<Types['input'], SubmitOptions & Texts<'params', ParamsOf<Name, Types>>>
  ): Promise<JobHandle<Received<Types['output']>>>
}

type Typed<Types> = NonNullable<Types> extends AnyTypes ? NonNullable<Types> : AnyTypes

/** One argument, which may be left out where nothing in it is compulsory. */
type Arguments<Options> = object extends Options ? [options?: Options] : [options: Options]

/** The parameters of a job, and the options beside them. */
type SubmitArguments<Params, Options> = undefined extends Params
  ? object extends Options
    ? [params?: Given<Params>, options?: Options]
    : [params: Given<Params>, options: Options]
  : [params: Given<Params>, ...options: Arguments<Options>]

/** A member that may be left out where `undefined` will do. */
type Member<Name extends string, Value> = undefined extends Value
  ? { readonly [Key in Name]?: Value }
  : { readonly [Key in Name]: Value }

/** A member of named values that may be left out where none of them is compulsory. */
type Texts<Name extends string, Values> = object extends Values
  ? { readonly [Key in Name]?: Values | undefined }
  : Member<Name, Values>

/** The path parameters: those of the schema, else those that the name tells of; any where nothing is known. */
type ParamsOf<Name, Types extends AnyTypes> = unknown extends Types['params']
  ? TextValues | undefined
  : undefined extends Types['params']
    ? ParamsIn<NamesIn<Name>>
    : Types['params']

type ParamsIn<Names extends string> = [Names] extends [never]
  ? Readonly<Record<string, string>> | undefined
  : { readonly [Key in Names]: string }

type NamesIn<Name> = Name extends `${string}[${infer Parameter}]${infer Rest}`
  ? (Parameter extends `...${infer Taken}` ? Taken : Parameter) | NamesIn<Rest>
  : never

/** What a caller may give for a value: a file may be a `Blob` as well. */
export type Given<Value> = Value extends FileValue
  ? FileValue | Blob
  : Value extends Tensor
    ? Value
    : Value extends object
      ? { readonly [Key in keyof Value]: Given<Value[Key]> }
      : Value

/** What a caller gets of a value once it has been sent: a date is a text, a `Response` is what it holds. */
export type Received<Value> = Value extends Response
  ? unknown
  : Value extends AsyncIterable<infer Item>
    ? AsyncIterable<AsJson<Item>>
    : Value extends FileValue | Tensor
      ? Value
      : Value extends { toJSON(): infer Json }
        ? Json
        : Value extends object
          ? { [Key in keyof Value]: Received<Value[Key]> }
          : Value

/** An item of a stream, which is JSON whatever it holds: a tensor has its JSON form, a file is a `data:` URL. */
export type AsJson<Value> =
  Value extends Tensor<infer Type>
    ? { type: Type; dims: readonly number[]; data: readonly (number | string | boolean)[] }
    : Value extends FileValue
      ? string
      : Value extends { toJSON(): infer Json }
        ? Json
        : Value extends object
          ? { [Key in keyof Value]: AsJson<Value[Key]> }
          : Value
