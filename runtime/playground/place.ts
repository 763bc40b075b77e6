import { isRecord } from './schema.ts'

/** The steps from a value to a part of it: names of members, indexes of items. */
export type Path = readonly (string | number)[]

/** A path as a JSON pointer (RFC 6901), as errors name places. */
export function pointerTo(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A copy of an object with one member set, or without it where the value is `undefined`. */
export function withMember(object: unknown, name: string, value: unknown): Readonly<Record<string, unknown>> {
  const { [name]: _, ...others } = isRecord(object) ? object : {}
  if (value === undefined) return others
  const isKnown = isRecord(object) && Object.hasOwn(object, name)
  return isKnown ? { ...object, [name]: value } : { ...others, [name]: value }
}

/** A copy of an object with these members first, whichever was filled in first, and then the others. */
export function inOrder(
  object: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  const rank = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.length)
  return Object.fromEntries(Object.entries(object).toSorted(([left], [right]) => rank(left) - rank(right)))
}

/** A copy of a list with one item replaced. */
export function withItem(list: readonly unknown[], index: number, value: unknown): readonly unknown[] {
  return list.map((item, position) => (position === index ? value : item))
}

/** A copy of a list without one item. */
export function withoutItem(list: readonly unknown[], index: number): readonly unknown[] {
  return list.filter((_, position) => position !== index)
}
