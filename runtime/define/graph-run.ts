import type { Call } from './definition.ts'
import { NodeRun } from './graph-node-run.ts'
import type { GraphBranch, GraphNode, GraphOrigin, GraphProgram, GraphValue } from './graph-program.ts'
import { originsOf, resolveValue } from './graph-value.ts'

/** What a graph answers: what it takes, and in whose name its nodes call. */
export type GraphCall = Pick<Call, 'input' | 'signal' | 'log' | 'handle'>

/** What stands for the answer of a node whose branch is not taken: nothing that is taken can see it. */
const untaken = Symbol('untaken')

/**
 * Runs a graph: each node as soon as all that it needs is there. The first failure fires the signal that all nodes
 * have, and is thrown once all that had begun has ended.
 *
 * @param nameOf how a node is called in errors
 * @throws {Error} what a node fails with, in words that name the node.
 */
export async function runGraph(
  program: GraphProgram,
  call: GraphCall,
  nameOf: (node: GraphNode) => string,
): Promise<unknown> {
  return new GraphRun(call, nameOf).answer(program)
}

class GraphRun {
  readonly #call: GraphCall
  readonly #nameOf: (node: GraphNode) => string
  readonly #failure = new AbortController()
  readonly #signal: AbortSignal
  readonly #values = new Map<GraphOrigin, Promise<unknown>>()

  constructor(call: GraphCall, nameOf: (node: GraphNode) => string) {
    this.#call = call
    this.#nameOf = nameOf
    this.#signal = AbortSignal.any([call.signal, this.#failure.signal])
  }

  async answer({ nodes, answer }: GraphProgram): Promise<unknown> {
    await Promise.allSettled(nodes.map((node) => this.#valueOf(node)))
    this.#signal.throwIfAborted()
    return this.#resolve(answer)
  }

  #valueOf(origin: GraphOrigin): Promise<unknown> {
    const known = this.#values.get(origin)
    if (known) return known
    const coming = this.#make(origin)
    this.#values.set(origin, coming)
    return coming
  }

  async #make(origin: GraphOrigin): Promise<unknown> {
    if (origin.kind === 'input') return this.#call.input
    if (origin.kind === 'choice') {
      const { taken, values } = origin
      return this.#resolve(values[(await this.#resolve(taken.condition)) ? 0 : 1])
    }
    if (origin.kind === 'item') throw new TypeError('An item is known to its own node only.')
    return (await this.#isTaken(origin.branch)) ? this.#runNode(origin) : untaken
  }

  async #runNode(node: GraphNode): Promise<unknown> {
    const { input, each, fallback } = node
    const [inputOf, list] = await Promise.all([
      this.#prepare(input, each?.item),
      each && this.#resolve(each.list),
    ])
    this.#signal.throwIfAborted()
    const name = this.#nameOf(node)
    try {
      const run = new NodeRun({ node, name, call: this.#call, signal: this.#signal })
      if (!each) return await run.once(inputOf(undefined), fallback && (() => this.#resolve(fallback)))
      const items = assertItems(list, name)
      const fallbackOf = async (item: number | null): Promise<unknown> =>
        fallback && (await this.#prepare(fallback, each.item))(items[item ?? 0])
      return await run.all(items.map(inputOf), fallback && fallbackOf)
    } catch (error) {
      // The first one is why the graph fails: what is thrown after it may be thrown because of it.
      this.#failure.abort(error)
      throw error
    }
  }

  /** Whether a branch is taken, from the outermost around it inwards: a condition may need what is in the next one. */
  async #isTaken(branch: GraphBranch | null): Promise<boolean> {
    if (branch === null) return true
    if (!(await this.#isTaken(branch.parent))) return false
    return Boolean(await this.#resolve(branch.condition)) === branch.holds
  }

  async #resolve(value: GraphValue): Promise<unknown> {
    return (await this.#prepare(value, undefined))(undefined)
  }

  /** Waits for all that a value is made from, and gives what makes it of an item. */
  async #prepare(value: GraphValue, item: GraphOrigin | undefined): Promise<(itemValue: unknown) => unknown> {
    const origins = originsOf(value).filter((origin) => origin !== item)
    const values = await Promise.all(origins.map((origin) => this.#valueOf(origin)))
    const known = new Map(origins.map((origin, position) => [origin, values[position]]))
    return (itemValue) => resolveValue(value, (origin) => (origin === item ? itemValue : known.get(origin)))
  }
}

function assertItems(list: unknown, node: string): readonly unknown[] {
  if (Array.isArray(list)) return list
  throw new TypeError(
    `Node "${node}" runs for each item of an array; it got ${list === null ? 'null' : typeof list}.`,
  )
}
