import { type LayerFactory, sizeOf } from './layer.ts'

/** A layer that makes one list of channels, rows and columns; the numbers stay as they are. */
export function flatten(): LayerFactory {
  return (inputShape) => ({
    operator: { type: 'Flatten', attributes: { axis: 1 } },
    outputShape: [sizeOf(inputShape), 1, 1],
    parameters: [],
    forward: (input) => input,
    backward: (gradient) => gradient,
  })
}
