import { eachFactsOf, edgeFactsOf } from './graph-edge.ts'
import type { GraphOrigin, GraphValue } from './graph-program.ts'

/** Reads what an author made of edges, constants, objects and arrays. @throws {TypeError} where an `each()` stands within. */
export function toGraphValue(wiring: unknown): GraphValue {
  const edge = edgeFactsOf(wiring)
  if (edge) return { kind: 'edge', ...edge }
  if (eachFactsOf(wiring)) {
    throw new TypeError('each() stands for the whole input of bind(); it cannot be a part of one.')
  }
  if (Array.isArray(wiring)) {
    const items = wiring.map(toGraphValue)
    return items.every(isConstant) ? { kind: 'constant', value: wiring } : { kind: 'list', items }
  }
  if (!isPlainObject(wiring)) return { kind: 'constant', value: wiring }
  const entries = Object.entries(wiring).map(([name, value]) => [name, toGraphValue(value)] as const)
  const isFixed = entries.every(([, value]) => isConstant(value))
  return isFixed ? { kind: 'constant', value: wiring } : { kind: 'object', entries }
}

/** The origins that a value is made from. */
export function originsOf(value: GraphValue): readonly GraphOrigin[] {
  if (value.kind === 'edge') return [value.origin]
  if (value.kind === 'list') return value.items.flatMap(originsOf)
  return value.kind === 'object' ? value.entries.flatMap(([, entry]) => originsOf(entry)) : []
}

/**
 * What a value comes to, by what its origins have come to. A property of nothing is `undefined`, and a property of an
 * object that comes to `undefined` is left out.
 */
export function resolveValue(value: GraphValue, valueAt: (origin: GraphOrigin) => unknown): unknown {
  switch (value.kind) {
    case 'constant':
      return value.value
    case 'edge':
      return value.path.reduce(propertyOf, valueAt(value.origin))
    case 'list':
      return value.items.map((item) => resolveValue(item, valueAt))
    case 'object': {
      const entries = value.entries.map(([name, entry]) => [name, resolveValue(entry, valueAt)] as const)
      return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined))
    }
  }
}

function propertyOf(owner: unknown, name: string): unknown {
  return owner === undefined || owner === null
    ? undefined
    : (owner as Readonly<Record<string, unknown>>)[name]
}

function isConstant({ kind }: GraphValue): boolean {
  return kind === 'constant'
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
