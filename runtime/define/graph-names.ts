import type { Definition } from './definition.ts'
import type { GraphNode } from './graph-program.ts'

/** What stands for both ends of a graph where its edges are named. */
export const reservedNames: readonly string[] = Object.freeze(['input', 'answer'])

/**
 * The names of a graph's nodes: the author's, else the last part of their function's, else that of their code. What has
 * a name that another has already gets a number.
 */
export function nameNodes(
  nodes: readonly GraphNode[],
  nameOf: (definition: Definition) => string | undefined,
): ReadonlyMap<GraphNode, string> {
  const taken = new Set([...reservedNames, ...nodes.flatMap(({ name }) => name ?? [])])
  const names = new Map<GraphNode, string>()
  for (const node of nodes) names.set(node, node.name ?? freshName(usualName(node, nameOf), taken))
  return names
}

function usualName({ work }: GraphNode, nameOf: (definition: Definition) => string | undefined): string {
  const full = work.kind === 'code' ? work.compute.name || 'derive' : nameOf(work.definition)
  return full?.split('/').at(-1) ?? 'function'
}

function freshName(wished: string, taken: Set<string>): string {
  let name = wished
  for (let number = 2; taken.has(name); number += 1) name = `${wished}-${number}`
  taken.add(name)
  return name
}
