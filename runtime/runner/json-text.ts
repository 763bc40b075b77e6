/**
 * The most levels of arrays and objects in JSON that comes from outside. Code that follows a value down, ours or
 * a function's, must not run out of stack.
 */
export const maxLevels = 1_000

/**
 * Parses JSON that comes from outside.
 *
 * @throws {SyntaxError} where the text is no JSON.
 * @throws {RangeError} where it has more than {@link maxLevels} levels.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  assertLevels(value, maxLevels)
  return value
}

function assertLevels(value: unknown, left: number): void {
  if (typeof value !== 'object' || value === null) return
  if (left === 0) throw new RangeError(`JSON of more than ${maxLevels} levels is not taken`)
  if (Array.isArray(value)) for (const item of value) assertLevels(item, left - 1)
  else for (const name in value) assertLevels(value[name as keyof typeof value], left - 1)
}
