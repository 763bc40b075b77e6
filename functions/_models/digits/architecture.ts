import { convolution } from './network/convolution.ts'
import { dense } from './network/dense.ts'
import { flatten } from './network/flatten.ts'
import type { LayerFactory, Shape } from './network/layer.ts'
import { maxPool } from './network/max-pool.ts'
import { rectifier } from './network/rectifier.ts'
import { imageSide } from './samples.ts'

/** One channel of grey values. */
export const inputShape: Shape = [1, imageSide, imageSide]

/** The layers of the digits model, first to last, each with the shape of its output. */
export const architecture: readonly LayerFactory[] = [
  convolution({ filters: 8, side: 5 }), // 8 x 28 x 28
  rectifier(),
  maxPool(), // 8 x 14 x 14
  convolution({ filters: 24, side: 3 }), // 24 x 14 x 14
  rectifier(),
  maxPool(), // 24 x 7 x 7
  convolution({ filters: 48, side: 3 }), // 48 x 7 x 7
  rectifier(),
  flatten(), // 2352
  dense(10), // one number a digit
]
