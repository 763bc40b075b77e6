/** Slow and plain arithmetic that tests reckon their answers with. */

/** Numbers from 0 to 1 that are the same for the same seed. */
export function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** So many float32 from -1 to 1. */
export function randomFloats(random: () => number, count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => random() * 2 - 1)
}

/** The product of `x`, in rows of so many, and a matrix of so many columns. */
export function multiply(
  x: ArrayLike<number>,
  matrix: Float32Array,
  rows: number,
  columns: number,
): number[] {
  return Array.from({ length: (x.length / rows) * columns }, (_, index) => {
    const [start, column] = [Math.floor(index / columns) * rows, index % columns]
    let sum = 0
    for (let row = 0; row < rows; row++) sum += at(x, start + row) * at(matrix, row * columns + column)
    return sum
  })
}

/** The softmax of each row of so many columns. */
export function softmaxRows(elements: readonly number[], columns: number): number[] {
  const powers = elements.map(Math.exp)
  return powers.map((power, index) => {
    const start = Math.floor(index / columns) * columns
    return power / powers.slice(start, start + columns).reduce((sum, element) => sum + element, 0)
  })
}

/** The element at an index. @throws {RangeError} where there is none. */
export function at(elements: ArrayLike<number>, index: number): number {
  const element = elements[index]
  if (element === undefined) throw new RangeError(`No element ${index}.`)
  return element
}
