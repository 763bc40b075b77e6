/** What goes into a model or comes out of one: numbers row by row, in some dimensions. */
export interface Numbers {
  readonly data: Float32Array<ArrayBuffer>
  readonly dims: readonly number[]
}
