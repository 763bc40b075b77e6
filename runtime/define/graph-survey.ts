import { isWithin } from './graph-edge.ts'
import type {
  GraphBranch,
  GraphInput,
  GraphItem,
  GraphNode,
  GraphOrigin,
  GraphProgram,
  GraphValue,
} from './graph-program.ts'
import { originsOf } from './graph-value.ts'

/** Where a value is used: in a branch, and for an item of a node that runs for several. */
interface Use {
  readonly branch: GraphBranch | null
  readonly item: GraphItem | null
}

/**
 * Finds all that an answer needs, every node after what it needs itself.
 *
 * @throws {TypeError} where an edge is used beyond its branch or its `each()`, comes from another graph's input, or two
 * nodes have one name.
 */
export function surveyGraph(input: GraphInput | null, answer: GraphValue): GraphProgram {
  const survey = new Survey(input)
  survey.visit(answer, { branch: null, item: null })
  return Object.freeze({ input, nodes: Object.freeze([...survey.nodes]), answer })
}

class Survey {
  /** In the order in which they may run. */
  readonly nodes = new Set<GraphNode>()
  readonly #input: GraphInput | null
  readonly #seen = new Set<GraphOrigin>()
  readonly #names = new Set<string>()

  constructor(input: GraphInput | null) {
    this.#input = input
  }

  visit(value: GraphValue, use: Use): void {
    for (const origin of originsOf(value)) {
      assertReach(origin, use)
      if (this.#seen.has(origin)) continue
      this.#seen.add(origin)
      this.#visitOrigin(origin)
    }
  }

  #visitOrigin(origin: GraphOrigin): void {
    if (origin.kind === 'input' && origin !== this.#input) {
      throw new TypeError(
        this.#input
          ? "An edge comes from another input() than the graph's own."
          : 'The graph uses what an input() made; give that as its "input".',
      )
    }
    if (origin.kind === 'choice') {
      const { taken, otherwise, values } = origin
      this.#visitBranch(taken)
      this.visit(values[0], { branch: taken, item: null })
      this.visit(values[1], { branch: otherwise, item: null })
    } else if (origin.kind === 'node') this.#visitNode(origin)
  }

  #visitNode(node: GraphNode): void {
    const { name, branch, each, input, fallback } = node
    this.#visitBranch(branch)
    if (each) this.visit(each.list, { branch, item: null })
    const use = { branch, item: each?.item ?? null }
    this.visit(input, use)
    if (fallback) this.visit(fallback, use)
    if (name !== null && this.#names.has(name)) throw new TypeError(`Two nodes are named "${name}".`)
    if (name !== null) this.#names.add(name)
    this.nodes.add(node)
  }

  #visitBranch(branch: GraphBranch | null): void {
    for (let at = branch; at; at = at.parent) this.visit(at.condition, { branch: at.parent, item: null })
  }
}

function assertReach(origin: GraphOrigin, { branch, item }: Use): void {
  if (origin.kind === 'item') {
    if (origin === item) return
    throw new TypeError('The item of each() is an edge within that each() only.')
  }
  if (isWithin(branch, origin.branch)) return
  throw new TypeError(
    'An edge from within a branch of when() is used outside of it; use what when() gives, which has both branches.',
  )
}
