import { readFileUrl } from './file-url.ts'
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

/**
 * Compares two values: numbers within {@link tolerance}, all else exactly. Long base64 text that reads as 32-bit
 * floating numbers is compared by these: functions hand out what they remember of a stream that way.
 */
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
  } else if (!Object.is(left, right)) compareTexts(left, right, path, search)
}

function compareTexts(left: unknown, right: unknown, path: Path, search: Search): void {
  const [from, to] = [floatsOf(left), floatsOf(right)]
  if (from !== null && to !== null) compareLists(from, to, path, search)
  else differ(search, path, `${brief(left)} against ${brief(right)}`)
}

function compareLists(left: ArrayLike<unknown>, right: ArrayLike<unknown>, path: Path, search: Search): void {
  if (left.length !== right.length) differ(search, path, `${left.length} items against ${right.length}`)
  for (let index = 0; index < Math.min(left.length, right.length); index += 1)
    compare(left[index], right[index], [...path, index], search)
}

/** Shorter texts are words by chance. */
const leastFloatCharacters = 64

/** The numbers that base64 text holds; `null` where it is none, or holds what no model computes. */
function floatsOf(value: unknown): Float32Array | null {
  if (typeof value !== 'string' || value.length < leastFloatCharacters) return null
  const bytes = readFileUrl(value)?.bytes
  if (bytes === undefined || bytes.length % 4 !== 0) return null
  const floats = new Float32Array(bytes.buffer)
  // Any other bytes have exponents from end to end.
  const isPlausible = floats.every(
    (float) => float === 0 || (Math.abs(float) > 1e-20 && Math.abs(float) < 1e20),
  )
  return isPlausible ? floats : null
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
  if (!Number.isFinite(difference) || difference > allowed) differ(search, path, `${left} against ${right}`)
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
