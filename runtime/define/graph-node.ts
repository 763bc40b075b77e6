import type { Awaitable, RequestContext } from './context.ts'
import { type Definition, type FunctionTypes, isDefinition } from './definition.ts'
import {
  createEdge,
  type Each,
  type Edge,
  type EdgeOf,
  eachFactsOf,
  edgeFactsOf,
  type Resolved,
  type Wired,
} from './graph-edge.ts'
import { reservedNames } from './graph-names.ts'
import type { GraphBranch, GraphChoice, GraphNode, GraphWork } from './graph-program.ts'
import { toGraphValue } from './graph-value.ts'
import type { HandleOptions } from './handle.ts'
import { assertCallable, assertTimeout } from './options.ts'

/** A function that a graph can call: any but an action, and without path parameters. */
export type NodeFunction<Input, Output> = Definition & {
  readonly kind: 'function' | 'inference' | 'graph'
} & FunctionTypes<undefined, unknown, Input, Output>

/** A function with the model and the deployment that are to answer; made by {@link handle}. */
export interface HandledFunction<Input, Output> {
  readonly fn: NodeFunction<Input, Output>
  readonly options: HandleOptions
}

/** What a node is told beside its input. */
export interface NodeOptions<Fallback = never> {
  /** The node's name in errors, in the drawing and in timings. @default its function's, numbered where it comes again */
  readonly name?: string
  /** How often a failure that may pass, such as that of a full queue, is tried again. @default 0 */
  readonly retries?: number
  /** What it answers where it fails: a value, made of constants and edges. @default the graph fails */
  readonly fallback?: Fallback
  /** How long it may take, in milliseconds, tries included. @default until the graph's own deadline */
  readonly timeoutMs?: number
}

/** What the code of {@link derive} gets beside the values. */
export type DeriveContext = Pick<RequestContext, 'signal' | 'log'>

const handledBrand = Symbol.for('isoplex.handled')
const nodeName = /^[A-Za-z][\w.-]{0,63}$/
/** The branch whose nodes are being bound. */
let openBranch: GraphBranch | null = null

/**
 * Says which model and which deployment answer a node, where that is not left to the function.
 *
 * @example
 * const lines = bind(handle(read, { model: 'latin-reader' }), each(found.crops))
 */
export function handle<Input, Output>(
  fn: NodeFunction<Input, Output>,
  options: HandleOptions,
): HandledFunction<Input, Output> {
  assertNodeFunction(fn, 'handle')
  const handled = { fn, options: Object.freeze({ ...options }) }
  return Object.freeze(Object.defineProperty(handled, handledBrand, { value: true }))
}

/**
 * Makes a function a node of a graph: what it takes is made of edges, and the edge that comes of it carries what it
 * answers. It runs as soon as the values are there, beside whatever else can. With {@link each} it runs for every item
 * of an array, and gives an array.
 *
 * @example
 * const page = input(Type.Object({ picture: file() }))
 * const found = bind(detect, { picture: page.picture })
 * const lines = bind(read, each(found.crops), { fallback: '' })
 *
 * @throws {TypeError} where that is no function that a graph can call, or an option is outside its bounds.
 */
export function bind<Input, Output, Fallback = never>(
  fn: NodeFunction<Input, Output> | HandledFunction<Input, Output>,
  input: Each<Wired<NoInfer<Input>>>,
  options?: NodeOptions<Fallback>,
): Edge<(Output | Resolved<Fallback>)[]>
export function bind<Input, Output, Fallback = never>(
  fn: NodeFunction<Input, Output> | HandledFunction<Input, Output>,
  input: Wired<NoInfer<Input>>,
  options?: NodeOptions<Fallback>,
): Edge<Output | Resolved<Fallback>>
export function bind(
  fn: Definition | HandledFunction<unknown, unknown>,
  input: unknown,
  options: NodeOptions<unknown> = {},
): Edge<unknown> {
  const { fn: definition, options: handled } = isHandled(fn) ? fn : { fn, options: Object.freeze({}) }
  assertNodeFunction(definition, 'bind')
  return createEdge(createNode({ kind: 'function', definition, options: handled }, input, options))
}

/**
 * Makes a value of others by code of the graph's own: picks, joins, counts. What is worth a call of its own is a
 * function.
 *
 * @example
 * const isTurned = derive(found.angle, (angle) => Math.abs(angle) > 45)
 *
 * @throws {TypeError} where `compute` is no function, or the name is outside its bounds.
 */
export function derive<const Inputs, Value>(
  inputs: Inputs,
  compute: (values: Resolved<Inputs>, context: DeriveContext) => Awaitable<Value>,
  options: Pick<NodeOptions, 'name'> = {},
): Edge<Value> {
  assertCallable('compute', compute)
  return createEdge(createNode({ kind: 'code', compute }, inputs, options))
}

/**
 * A value that is one of two, by a condition. Only the nodes of the branch that is taken run: those that are bound
 * within it. Without `otherwise` the value is `undefined` where the condition does not hold.
 *
 * @example
 * const upright = when(isTurned, () => bind(turn, found), () => found)
 *
 * @throws {TypeError} where the condition is no edge, or a branch is no function.
 */
export function when<const Taken>(
  condition: EdgeOf<boolean>,
  taken: () => Taken,
): Edge<Resolved<Taken> | undefined>
export function when<const Taken, const Otherwise>(
  condition: EdgeOf<boolean>,
  taken: () => Taken,
  otherwise: () => Otherwise,
): Edge<Resolved<Taken> | Resolved<Otherwise>>
export function when(
  condition: EdgeOf<boolean>,
  taken: () => unknown,
  otherwise: () => unknown = () => undefined,
): Edge<unknown> {
  if (edgeFactsOf(condition) === null) throw new TypeError('The condition of when() must be an edge.')
  const parent = openBranch
  const branchOf = (holds: boolean): GraphBranch =>
    Object.freeze({ condition: toGraphValue(condition), holds, parent })
  const branches = [branchOf(true), branchOf(false)] as const
  const values = [within(branches[0], taken), within(branches[1], otherwise)] as const
  const choice: GraphChoice = {
    kind: 'choice',
    taken: branches[0],
    otherwise: branches[1],
    values,
    branch: parent,
  }
  return createEdge(Object.freeze(choice))
}

function within(branch: GraphBranch, wire: () => unknown): ReturnType<typeof toGraphValue> {
  assertCallable('branch', wire)
  const outer = openBranch
  openBranch = branch
  try {
    return toGraphValue(wire())
  } finally {
    openBranch = outer
  }
}

function createNode(work: GraphWork, input: unknown, options: NodeOptions<unknown>): GraphNode {
  const { name = null, retries = 0, timeoutMs = null } = options
  if (name !== null && (!nodeName.test(name) || reservedNames.includes(name))) {
    throw new TypeError(
      `A node's "name" is a letter, then letters, digits and . _ -, but neither input nor answer; got "${name}".`,
    )
  }
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw new TypeError(`"retries" must be a whole number from 0; got ${retries}.`)
  }
  if (timeoutMs !== null) assertTimeout('timeoutMs', timeoutMs)
  const repeated = eachFactsOf(input)
  return Object.freeze({
    kind: 'node',
    name,
    work,
    input: toGraphValue(repeated ? repeated.input : input),
    each: repeated && { list: toGraphValue(repeated.list), item: repeated.item },
    branch: openBranch,
    retries,
    fallback: Object.hasOwn(options, 'fallback') ? toGraphValue(options.fallback) : null,
    timeoutMs,
  })
}

function isHandled(value: object): value is HandledFunction<unknown, unknown> {
  return typeof value === 'object' && value !== null && handledBrand in value
}

function assertNodeFunction(fn: unknown, caller: string): asserts fn is Definition {
  if (fn === undefined) {
    throw new TypeError(
      `${caller}() got no function: its file is still being read. Files that import each other in a circle, such as a ` +
        'graph and a function that is to be one of its nodes, cannot be bound.',
    )
  }
  if (!isDefinition(fn))
    throw new TypeError(`${caller}() takes what a define… function made; got ${typeof fn}.`)
  if (fn.kind === 'action') throw new TypeError('An action is a job; it cannot be a node of a graph.')
  if (fn.params) throw new TypeError('A function with path parameters cannot be a node of a graph.')
}
