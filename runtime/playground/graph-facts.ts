import type { GraphEdgeFacts, GraphFacts, GraphNodeFacts } from './graph-layout.ts'
import { isRecord } from './schema.ts'

/** Reads what a server says of a graph. What it does not say is left empty. */
export function readGraph(graph: unknown): GraphFacts {
  const { nodes, edges } = isRecord(graph) ? graph : {}
  return { nodes: recordsIn(nodes).map(readNode), edges: recordsIn(edges).map(readEdge) }
}

/** A node in a sentence, for those who do not see the drawing. */
export function sentenceOf({ name, calls, model, marks }: GraphNodeFacts, { edges }: GraphFacts): string {
  const before = [...new Set(edges.flatMap(({ from, to }) => (to === name ? from : [])))]
  const parts = [
    calls === '' ? 'code of the graph' : `calls ${calls}`,
    ...(model === '' ? [] : [`with the model ${model}`]),
    ...marks,
    ...(before.length === 0 ? [] : [`after ${before.join(', ')}`]),
  ]
  return parts.join('; ')
}

function readNode(node: Readonly<Record<string, unknown>>): GraphNodeFacts {
  const { retries, fallback } = isRecord(node.onFailure) ? node.onFailure : {}
  const tries = Number(retries) || 0
  return {
    name: textOf(node.name),
    calls: textOf(node.function),
    model: textOf(node.model),
    marks: [
      ...(node.fanOut === true ? ['for each'] : []),
      ...(node.condition === 'taken' ? ['if so'] : node.condition === 'otherwise' ? ['if not'] : []),
      ...(tries > 0 ? [`${tries} ${tries === 1 ? 'retry' : 'retries'}`] : []),
      ...(fallback === true ? ['fallback'] : []),
    ],
  }
}

function readEdge(edge: Readonly<Record<string, unknown>>): GraphEdgeFacts {
  return {
    from: textOf(edge.from),
    to: textOf(edge.to),
    path: textOf(edge.path),
    kind: textOf(edge.kind),
  }
}

function recordsIn(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isRecord) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
