/** What a graph looks like: plain data, which documents, drawings and pages are made from. */
export interface GraphOutline {
  /** Every node after those that it needs. */
  readonly nodes: readonly OutlineNode[]
  readonly edges: readonly OutlineEdge[]
}

/** A node of a graph. */
export interface OutlineNode {
  readonly name: string
  /** The function that it calls; `null` for code of the graph's own, or a function that no function file defines. */
  readonly function: string | null
  /** The model that the graph asks it for; `null` where that is left to the token, then to the function. */
  readonly model: string | null
  /** The deployment that answers; `null` for the function's own. */
  readonly deployment: string | null
  /** The nodes that it needs. */
  readonly after: readonly string[]
  /** Whether it runs for every item of an array. */
  readonly fanOut: boolean
  /** Which side of a condition it is on; `null` where it always runs. */
  readonly condition: 'taken' | 'otherwise' | null
  readonly onFailure: { readonly retries: number; readonly fallback: boolean }
}

/** Where a value goes. */
export interface OutlineEdge {
  /** A node's name, or `input`. */
  readonly from: string
  /** A node's name, or `answer`. */
  readonly to: string
  /** What of the value it is: property names with dots between; empty for all of it. */
  readonly path: string
  /** What it is for: a part of the input, the array for whose items the node runs, whether it runs, or its fallback. */
  readonly kind: 'value' | 'items' | 'condition' | 'fallback'
}
