/** Numbers in rows, one row after the other. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly values: Float64Array
}

/** A matrix of zeros; or of the values given, which it then shares. */
export function createMatrix(
  rows: number,
  columns: number,
  values: Float64Array = new Float64Array(rows * columns),
): Matrix {
  if (values.length !== rows * columns) {
    throw new RangeError(`${values.length} values do not fill a matrix of ${rows} x ${columns}.`)
  }
  return { rows, columns, values }
}

/** Writes the source into the target with rows and columns exchanged. */
export function transpose(target: Matrix, source: Matrix): void {
  const { rows, columns } = source
  if (target.rows !== columns || target.columns !== rows) {
    throw new RangeError(`The transpose of ${shapeOf(source)} does not fit ${shapeOf(target)}.`)
  }
  for (let column = 0; column < columns; column += 1) {
    for (let row = 0; row < rows; row += 1) {
      target.values[column * rows + row] = source.values[row * columns + column] as number
    }
  }
}

/** Adds `left · right` to the target. */
export function addProduct(target: Matrix, left: Matrix, right: Matrix): void {
  if (left.columns !== right.rows || left.rows !== target.rows || right.columns !== target.columns) {
    throw new RangeError(`${shapeOf(left)} times ${shapeOf(right)} does not give ${shapeOf(target)}.`)
  }
  const inner = left.columns
  const inFours = inner - (inner % 4)
  for (let row = 0; row < target.rows; row += 1) {
    const factors = left.values.subarray(row * inner, (row + 1) * inner)
    const sums = target.values.subarray(row * target.columns, (row + 1) * target.columns)
    for (let index = 0; index < inFours; index += 4) addFourRows(sums, factors, right, index)
    for (let index = inFours; index < inner; index += 1) addRow(sums, factors, right, index)
  }
}

function addRow(sums: Float64Array, factors: Float64Array, { values, columns }: Matrix, index: number): void {
  const factor = factors[index] as number
  const start = index * columns
  for (let column = 0; column < columns; column += 1) {
    sums[column] = (sums[column] as number) + factor * (values[start + column] as number)
  }
}

/** The same for four rows in one pass: each sum is read and written once for four products. */
function addFourRows(
  sums: Float64Array,
  factors: Float64Array,
  { values, columns }: Matrix,
  index: number,
): void {
  const first = factors[index] as number
  const second = factors[index + 1] as number
  const third = factors[index + 2] as number
  const fourth = factors[index + 3] as number
  const start = index * columns
  for (let column = 0; column < columns; column += 1) {
    sums[column] =
      (sums[column] as number) +
      first * (values[start + column] as number) +
      second * (values[start + columns + column] as number) +
      third * (values[start + 2 * columns + column] as number) +
      fourth * (values[start + 3 * columns + column] as number)
  }
}

function shapeOf({ rows, columns }: Matrix): string {
  return `${rows} x ${columns}`
}
