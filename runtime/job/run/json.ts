/** The deepest nesting that is taken; what nests deeper is taken for a mistake. */
const deepest = 500

/**
 * What in a value JSON cannot carry so that it comes back the same, as words such as `a Float32Array in results[3].mask`;
 * `null` where it can carry all. Members that are `undefined` are left out by JSON and are no offence.
 *
 * @param path how the value itself is called
 */
export function unfitForJson(value: unknown, path: string): string | null {
  return visit(value, path, new Set())
}

function visit(value: unknown, path: string, around: Set<object>): string | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null
  if (typeof value === 'number') return Number.isFinite(value) ? null : `the number ${value} in ${path}`
  if (typeof value !== 'object') return `a value of type ${typeof value} in ${path}`
  if (around.has(value)) return `an object that holds itself in ${path}`
  if (around.size === deepest)
    return `a value that is nested more than ${deepest} deep in ${path.slice(0, 64)}`
  const isList = Array.isArray(value)
  if (!isList && !isPlain(value)) return `${nameOf(value)} in ${path}`
  around.add(value)
  const found = isList ? visitItems(value, path, around) : visitMembers(value, path, around)
  around.delete(value)
  return found
}

function visitItems(items: readonly unknown[], path: string, around: Set<object>): string | null {
  for (let index = 0; index < items.length; index++) {
    const found = visit(items[index], `${path}[${index}]`, around)
    if (found !== null) return found
  }
  return null
}

function visitMembers(members: object, path: string, around: Set<object>): string | null {
  for (const [name, member] of Object.entries(members)) {
    if (member === undefined) continue
    const found = visit(member, `${path}.${name}`, around)
    if (found !== null) return found
  }
  return null
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function nameOf(value: object): string {
  const name = value.constructor?.name || 'object of a class'
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`
}
