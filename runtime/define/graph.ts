import type { Static, TSchema } from '@sinclair/typebox'
import { brandDefinition, type Definition, type FunctionTypes, settleEach } from './definition.ts'
import { functionNameOf } from './function-name.ts'
import { createEdge, type Edge, type EdgeOf, edgeFactsOf, type Resolved, type Wired } from './graph-edge.ts'
import { nameNodes } from './graph-names.ts'
import type { GraphInput, GraphNode, GraphProgram } from './graph-program.ts'
import { runGraph } from './graph-run.ts'
import { surveyGraph } from './graph-survey.ts'
import { toGraphValue } from './graph-value.ts'
import { assertOptions, type FunctionOptions } from './options.ts'

/** What {@link defineGraph} takes. */
export interface GraphDefinition<Input, Output extends TSchema | undefined, Answer> extends FunctionOptions {
  /** The edge that {@link input} made. @default the graph takes no input */
  readonly input?: EdgeOf<Input>
  /** The schema of the answer, or of each item of a streamed one. Without it the answer is not checked. */
  readonly output?: Output
  /** What the graph answers: an edge, or an object or array of edges and constants. */
  readonly answer: Answer
}

/** What a graph may answer: what its schema describes, or a stream of that. */
export type GraphAnswer<Output extends TSchema | undefined> = Output extends TSchema
  ? Wired<Static<Output>> | EdgeOf<AsyncIterable<Static<Output>>>
  : unknown

/**
 * The edge that carries what a graph is asked with. A graph has one at most.
 *
 * @example
 * const page = input(Type.Object({ picture: file({ mediaTypes: ['image/*'] }) }))
 */
export function input<Schema extends TSchema>(schema: Schema): Edge<Static<Schema>> {
  const origin: GraphInput = Object.freeze({ kind: 'input', schema, branch: null })
  return createEdge(origin)
}

/**
 * Defines a graph: functions bound to each other by edges, each of which runs as soon as what it needs is there. A graph
 * is a function as any other: over HTTP, by a handle, in a page, as a node of another graph. All of its nodes have one
 * deadline; where one fails and has no fallback, the others are cancelled and the graph fails by an error that names the
 * node.
 *
 * @example
 * const page = input(Type.Object({ picture: file() }))
 * const found = bind(detect, { picture: page.picture })
 * const lines = bind(read, each(found.crops))
 *
 * export default defineGraph({
 *   input: page,
 *   output: Type.Object({ boxes: Type.Array(Box), lines: Type.Array(Type.String()) }),
 *   answer: { boxes: found.boxes, lines },
 * })
 *
 * @throws {TypeError} where two nodes have one name, an edge leads out of its branch, an edge is of another graph's
 * input, or an option is outside its bounds.
 */
export function defineGraph<
  Input = undefined,
  Output extends TSchema | undefined = undefined,
  const Answer extends GraphAnswer<Output> = GraphAnswer<Output>,
>(
  definition: GraphDefinition<Input, Output, Answer>,
): Definition & { readonly kind: 'graph' } & FunctionTypes<undefined, undefined, Input, Resolved<Answer>> {
  const { input: edge, answer, ...options } = definition
  assertOptions(options)
  const facts = edge === undefined ? null : edgeFactsOf(edge)
  const given = facts?.origin.kind === 'input' && facts.path.length === 0 ? facts.origin : null
  if (edge !== undefined && given === null)
    throw new TypeError('The "input" of a graph is what input() made.')
  const program: GraphProgram = surveyGraph(given, toGraphValue(answer))
  let names: ReadonlyMap<GraphNode, string> | undefined
  // Functions have their names only once all files have been read.
  const nameOf = (node: GraphNode): string => {
    names ??= nameNodes(program.nodes, functionNameOf)
    return names.get(node) ?? ''
  }
  return brandDefinition({
    ...options,
    ...(given ? { input: given.schema } : {}),
    kind: 'graph' as const,
    methods: Object.freeze([given ? ('POST' as const) : ('GET' as const)]),
    graph: program,
    answer: (calls) => settleEach(calls, (call) => runGraph(program, call, nameOf)),
  })
}
