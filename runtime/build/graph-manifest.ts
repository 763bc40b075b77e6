import type { Definition } from '../define/definition.ts'
import { nameNodes } from '../define/graph-names.ts'
import type { GraphOutline, OutlineEdge, OutlineNode } from '../define/graph-outline.ts'
import type { GraphBranch, GraphNode, GraphProgram, GraphValue } from '../define/graph-program.ts'
import type { Place } from '../define/options.ts'

/** What is known of a graph: what it looks like, and which models its runner holds. */
export interface GraphManifest extends GraphOutline {
  /** The models that are held together with the graph, those of graphs within it included; each pair once. */
  readonly models: readonly GraphModelManifest[]
}

/** A model that a graph holds. */
export interface GraphModelManifest {
  readonly function: string
  /** The model that the graph asks the function for; `null` where that is left to the token, then to the function. */
  readonly asked: string | null
  /** The function's own default; `null` where it has none. */
  readonly default: string | null
  readonly access: 'token' | 'public'
}

/** The name of a function that comes from a function file; `null` of any other. */
export type NameOf = (definition: Definition) => string | null

/** A function as it is served where some functions have replicas of their own: a graph does not hold their models. */
export function withoutApart<Fn extends { readonly graph?: GraphManifest }>(
  fn: Fn,
  apart: ReadonlySet<string>,
): Fn {
  if (!fn.graph?.models.some(({ function: name }) => apart.has(name))) return fn
  const models = fn.graph.models.filter(({ function: name }) => !apart.has(name))
  return { ...fn, graph: { ...fn.graph, models } }
}

/** What describing a graph needs. */
export interface GraphFacts {
  readonly nameOf: NameOf
  /** Where the graph is to run. */
  readonly runs: readonly Place[]
}

/**
 * Reads off a graph what is known of it.
 *
 * @throws {TypeError} where a node calls a function that needs a model and comes from no function file, or one that may
 * not run where the graph is to run.
 */
export function describeGraph(program: GraphProgram, { nameOf, runs }: GraphFacts): GraphManifest {
  const names = nameNodes(program.nodes, (definition) => nameOf(definition) ?? definition.name)
  const edges = edgesOf(program, names)
  const nodes = program.nodes.map((node): OutlineNode => {
    const { work, each, branch, retries, fallback } = node
    const name = names.get(node) ?? ''
    const before = edges.flatMap(({ from, to }) => (to === name && from !== 'input' ? from : []))
    const { model = null, deployment = null } = work.kind === 'function' ? work.options : {}
    return {
      name,
      function: work.kind === 'function' ? nameOf(work.definition) : null,
      model,
      deployment,
      after: [...new Set(before)],
      fanOut: each !== null,
      condition: branch && (branch.holds ? 'taken' : 'otherwise'),
      onFailure: { retries, fallback: fallback !== null },
    }
  })
  if (runs.includes('browser')) for (const node of program.nodes) assertBrowser(node, { names, nameOf })
  const models = new Map<string, GraphModelManifest>()
  collectModels(program, { names, nameOf }, models)
  return { nodes, edges, models: [...models.values()] }
}

/** What no function file defines runs wherever the code runs that has it. */
function assertBrowser(node: GraphNode, { names, nameOf }: Naming): void {
  if (node.work.kind === 'code') return
  const name = names.get(node)
  const { definition, options } = node.work
  if (options.deployment !== undefined) {
    throw new TypeError(
      `The graph runs in browsers, and its node "${name}" asks a deployment, which only a server has.`,
    )
  }
  if (definition.runs?.includes('browser') || (nameOf(definition) === null && !definition.runs)) return
  throw new TypeError(
    `The graph runs in browsers, and the function of its node "${name}" does not: give that runs: ['server', 'browser'], or ` +
      "leave 'browser' out of the graph's.",
  )
}

interface Naming {
  readonly names: ReadonlyMap<GraphNode, string>
  readonly nameOf: NameOf
}

function collectModels(
  { nodes }: GraphProgram,
  { names, nameOf }: Naming,
  models: Map<string, GraphModelManifest>,
): void {
  for (const node of nodes) {
    if (node.work.kind !== 'function') continue
    const { definition, options } = node.work
    if (definition.graph) collectModels(definition.graph, { names, nameOf }, models)
    if (!definition.model) {
      if (options.model === undefined) continue
      throw new TypeError(`The node "${names.get(node)}" asks a function for a model that has none.`)
    }
    const name = nameOf(definition)
    if (name === null) {
      throw new TypeError(
        `The node "${names.get(node)}" calls a function with a model that no function file defines; make it the default ` +
          'export of a file in the functions folder, and import it from there.',
      )
    }
    // What has a deployment of its own is asked there.
    if (options.deployment !== undefined || definition.deployment?.replicas !== undefined) continue
    const asked = options.model ?? null
    const { model, access = 'token' } = definition
    models.set(JSON.stringify([name, asked]), {
      function: name,
      asked,
      default: model.default ?? null,
      access,
    })
  }
}

/** Every edge of a graph, each once. */
function edgesOf({ nodes, answer }: GraphProgram, names: ReadonlyMap<GraphNode, string>): OutlineEdge[] {
  const edges = new Map<string, OutlineEdge>()
  const add = (value: GraphValue | null, to: string, kind: OutlineEdge['kind']): void => {
    if (value === null || value.kind === 'constant') return
    if (value.kind === 'list') for (const item of value.items) add(item, to, kind)
    else if (value.kind === 'object') for (const [, entry] of value.entries) add(entry, to, kind)
    else {
      const { origin, path } = value
      if (origin.kind === 'choice') {
        for (const side of origin.values) add(side, to, kind)
        add(origin.taken.condition, to, 'condition')
      } else if (origin.kind !== 'item') {
        const from = origin.kind === 'input' ? 'input' : (names.get(origin) ?? '')
        const edge = { from, to, path: path.join('.'), kind }
        edges.set(JSON.stringify(edge), edge)
      }
    }
  }
  for (const node of nodes) {
    const name = names.get(node) ?? ''
    for (let at: GraphBranch | null = node.branch; at; at = at.parent) add(at.condition, name, 'condition')
    add(node.each?.list ?? null, name, 'items')
    add(node.input, name, 'value')
    add(node.fallback, name, 'fallback')
  }
  add(answer, 'answer', 'value')
  return [...edges.values()]
}
