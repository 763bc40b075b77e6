import type { Tensor } from 'isoplex'

/** What goes into a model or comes out of one: numbers row by row, in some dimensions. */
export interface Numbers {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

/** What a model gave, whose numbers must be of 32 bits. @throws {TypeError} where they are not. */
export function toNumbers({ data, dims }: Tensor): Numbers {
  if (data instanceof Float32Array) return { data, dims }
  throw new TypeError('The model must give float32 numbers.')
}
