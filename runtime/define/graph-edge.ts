import type { GraphBranch, GraphItem, GraphOrigin } from './graph-program.ts'

declare const carried: unique symbol
declare const repeated: unique symbol

/** What carries a value of this type to a node; it exists for the compiler only. */
export interface EdgeOf<out Value> {
  readonly [carried]: Value
}

/**
 * A value that a graph will have: its input, what a node answers, or a property of these. `found.boxes` is an edge as
 * `found` is one; what it carries is known when the graph runs, and to no code before.
 */
export type Edge<Value> = EdgeOf<Value> & EdgeProperties<Value>

type EdgeProperties<Value> = [Value] extends [readonly unknown[]]
  ? { readonly length: Edge<number> }
  : [Value] extends [(...parameters: never[]) => unknown]
    ? unknown
    : [Value] extends [object]
      ? { readonly [Name in keyof Value & string]-?: Edge<Value[Name]> }
      : unknown

/** A value made of edges: one edge, a constant, or an object or array of these. */
export type Wired<Value> = EdgeOf<Value> | WiredValue<Value>

type WiredValue<Value> = Value extends (...parameters: never[]) => unknown
  ? Value
  : Value extends object
    ? { readonly [Name in keyof Value]: WiredProperty<Value, Name> }
    : Value

/** What may be left out may also come as an edge that carries `undefined`. */
type WiredProperty<Owner, Name extends keyof Owner> =
  Partial<Pick<Owner, Name>> extends Pick<Owner, Name> ? Wired<Owner[Name] | undefined> : Wired<Owner[Name]>

/** What a value made of edges comes to. */
export type Resolved<Wiring> =
  Wiring extends EdgeOf<infer Value>
    ? Value
    : Wiring extends (...parameters: never[]) => unknown
      ? Wiring
      : Wiring extends object
        ? { -readonly [Name in keyof Wiring]: Resolved<Wiring[Name]> }
        : Wiring

/** The inputs of a node that runs for every item of an array; made by {@link each}. */
export interface Each<out Input> {
  readonly [repeated]: Input
}

/** What an edge stands for: where its value comes from, and the way to it from there. */
export interface EdgeFacts {
  readonly origin: GraphOrigin
  readonly path: readonly string[]
}

/** What {@link each} stands for. */
export interface EachFacts {
  readonly list: unknown
  readonly item: GraphItem
  /** What one item's input is made of. */
  readonly input: unknown
}

const edgeBrand = Symbol.for('isoplex.edge')
const eachBrand = Symbol.for('isoplex.each')

/** Makes an edge. Its value's type is whoever calls this one's promise. */
export function createEdge<Value>(origin: GraphOrigin, path: readonly string[] = []): Edge<Value> {
  const facts: EdgeFacts = Object.freeze({ origin, path: Object.freeze(path) })
  return new Proxy(Object.freeze({}), {
    get(_, name) {
      if (name === edgeBrand) return facts
      // What is awaited by mistake must not be taken for a promise.
      return typeof name === 'symbol' || name === 'then' ? undefined : createEdge(origin, [...path, name])
    },
    has: (_, name) => name === edgeBrand,
    ownKeys() {
      throw new TypeError('An edge cannot be spread or listed: what it carries is known when the graph runs.')
    },
  }) as Edge<Value>
}

/** What an edge stands for; `null` for whatever else. */
export function edgeFactsOf(value: unknown): EdgeFacts | null {
  return branded<EdgeFacts>(value, edgeBrand)
}

/** What {@link each} gave; `null` for whatever else. */
export function eachFactsOf(value: unknown): EachFacts | null {
  return branded<EachFacts>(value, eachBrand)
}

function branded<Facts>(value: unknown, brand: symbol): Facts | null {
  if (typeof value !== 'object' || value === null || !(brand in value)) return null
  return (value as Readonly<Record<symbol, Facts>>)[brand] ?? null
}

/**
 * Every item of an array, as the input of one node: the node runs for each of them, in batches where its function
 * gathers requests, and gives an array of the answers in the items' order. `input` makes what the function takes out of
 * an item and other edges; without it, the item is what it takes.
 *
 * @example
 * const lines = bind(read, each(found.crops, (crop) => ({ picture: crop, language: page.language })))
 *
 * @throws {TypeError} where `list` is no edge.
 */
export function each<Item>(list: EdgeOf<readonly Item[]>): Each<Edge<Item>>
export function each<Item, const Input>(
  list: EdgeOf<readonly Item[]>,
  input: (item: Edge<Item>) => Input,
): Each<Input>
export function each<Item>(
  list: EdgeOf<readonly Item[]>,
  input: (item: Edge<Item>) => unknown = (item) => item,
): Each<unknown> {
  if (edgeFactsOf(list) === null) throw new TypeError(`each() takes an edge; got ${typeof list}.`)
  const item: GraphItem = Object.freeze({ kind: 'item', branch: null })
  const facts: EachFacts = Object.freeze({ list, item, input: input(createEdge<Item>(item)) })
  return Object.freeze({ [eachBrand]: facts }) as unknown as Each<unknown>
}

/** Whether what is made in one branch may be used in another: in itself, and in the branches within it. */
export function isWithin(branch: GraphBranch | null, outer: GraphBranch | null): boolean {
  for (let at = branch; at !== outer; at = at.parent) if (at === null) return outer === null
  return true
}
