import type { TSchema } from '@sinclair/typebox'
import type { Definition } from './definition.ts'
import type { DeriveContext } from './graph-node.ts'
import type { HandleOptions } from './handle.ts'

/** A value that is made when the graph runs. */
export type GraphValue =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'edge'; readonly origin: GraphOrigin; readonly path: readonly string[] }
  | { readonly kind: 'list'; readonly items: readonly GraphValue[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, GraphValue])[] }

/** Where the value of an edge comes from. */
export type GraphOrigin = GraphInput | GraphNode | GraphChoice | GraphItem

/** The graph's input. */
export interface GraphInput {
  readonly kind: 'input'
  readonly schema: TSchema
  readonly branch: null
}

/** One item of what a node is run for. */
export interface GraphItem {
  readonly kind: 'item'
  readonly branch: null
}

/** What happens only where a condition comes out one way. */
export interface GraphBranch {
  readonly condition: GraphValue
  readonly holds: boolean
  /** The branch around it. */
  readonly parent: GraphBranch | null
}

/** A value that is one of two, by a condition. */
export interface GraphChoice {
  readonly kind: 'choice'
  readonly taken: GraphBranch
  readonly otherwise: GraphBranch
  readonly values: readonly [taken: GraphValue, otherwise: GraphValue]
  readonly branch: GraphBranch | null
}

/** A function that a graph calls, or code of its own. */
export interface GraphNode {
  readonly kind: 'node'
  /** The name that the author gave it; `null` leaves it to its function's. */
  readonly name: string | null
  readonly work: GraphWork
  readonly input: GraphValue
  /** The array for whose items it runs, and the item that its input is made of; `null` where it runs once. */
  readonly each: { readonly list: GraphValue; readonly item: GraphItem } | null
  readonly branch: GraphBranch | null
  /** How often a failure that may pass is tried again. */
  readonly retries: number
  /** What it answers where it fails; `null` where the graph is to fail. */
  readonly fallback: GraphValue | null
  readonly timeoutMs: number | null
}

/** What a node does. */
export type GraphWork =
  | { readonly kind: 'function'; readonly definition: Definition; readonly options: HandleOptions }
  | {
      readonly kind: 'code'
      readonly compute: (values: never, context: DeriveContext) => unknown
    }

/** A whole graph. */
export interface GraphProgram {
  readonly input: GraphInput | null
  /** Every node after those that its input and its branch need. */
  readonly nodes: readonly GraphNode[]
  readonly answer: GraphValue
}
