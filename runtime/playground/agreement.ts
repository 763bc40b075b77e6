import { type Path, pointerTo } from './place.ts'
import { isRecord } from './schema.ts'

/**
 * How far two numbers may lie apart and still agree: the absolute difference, or this share of the larger one.
 * Providers sum in other orders, so that single precision gives differences of some 1e-5.
 */
export const tolerance = 1e-3

/** How two answers to one call compare. */
export interface Agreement {
  readonly agrees: boolean
  /** How many numbers were compared. */
  readonly numbers: number
  /** The largest difference of two numbers, and where; `null` where there are no numbers. */
  readonly largest: { readonly path: string; readonly difference: number } | null
  /** The first place that differs beyond the tolerance; `null` where none does. */
  readonly differs: { readonly path: string; readonly reason: string } | null
}

/** Compares two values: numbers within {@link tolerance}, all else exactly. */
export function compareAnswers(left: unknown, right: unknown): Agreement {
  const search: Search = { numbers: 0, largest: null, differs: null }
  compare(left, right, [], search)
  return { ...search, agrees: search.differs === null }
}

interface Search {
  numbers: number
  largest: { path: string; difference: number } | null
  differs: { path: string; reason: string } | null
}

function compare(left: unknown, right: unknown, path: Path, search: Search): void {
  if (typeof left === 'number' && typeof right === 'number') compareNumbers(left, right, path, search)
  else if (isList(left) && isList(right)) compareLists(left, right, path, search)
  else if (isRecord(left) && isRecord(right)) {
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)]))
      compare(left[name], right[name], [...path, name], search)
  } else if (!Object.is(left, right)) differ(search, path, `${brief(left)} against ${brief(right)}`)
}

function compareLists(left: ArrayLike<unknown>, right: ArrayLike<unknown>, path: Path, search: Search): void {
  if (left.length !== right.length) differ(search, path, `${left.length} items against ${right.length}`)
  for (let index = 0; index < Math.min(left.length, right.length); index += 1)
    compare(left[index], right[index], [...path, index], search)
}

function compareNumbers(left: number, right: number, path: Path, search: Search): void {
  search.numbers += 1
  if (Object.is(left, right)) {
    search.largest ??= { path: pointerTo(path), difference: 0 }
    return
  }
  const difference = Math.abs(left - right)
  if (search.largest === null || !(difference <= search.largest.difference))
    search.largest = { path: pointerTo(path), difference }
  const allowed = tolerance * Math.max(1, Math.abs(left), Math.abs(right))
  if (!(difference <= allowed)) differ(search, path, `${left} against ${right}`)
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}

function differ(search: Search, path: Path, reason: string): void {
  search.differs ??= { path: pointerTo(path), reason }
}

function brief(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing')
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
