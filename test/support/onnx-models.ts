/**
 * Tiny ONNX models, made in memory: the same bytes for the same arguments. Where an answer can be reckoned
 * simply, the model comes with a function that does.
 *
 * @example
 * // y = x + 5: the answer tells which model gave it.
 * writeFileSync(join(folder, 'model.onnx'), addConstantModel(5))
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onnx } from 'onnx-proto'
import type { TensorType } from '../../runtime/engine/tensor.ts'
import { at, multiply, pseudoRandom, randomFloats, softmaxRows } from './arithmetic.ts'
import {
  attribute,
  elementTypeNumbers,
  encode,
  floats,
  integer,
  type ModelBytes,
  value,
} from './onnx-graph.ts'

/** A model that takes float32 `x` and gives float32 `y`, and what its answer should be. */
export interface ReckonedModel {
  readonly bytes: ModelBytes
  /** The shape of `x` for a batch of so many. */
  inputDims(batch: number): readonly number[]
  /** The values of `y` for those of `x`, reckoned in double precision. */
  answer(x: Float32Array): number[]
}

/** `y = x + constant` over float32 `[batch]`. `weightBytes`, a multiple of 4, makes it a model of that size. */
export function addConstantModel(constant: number, weightBytes = 0): ModelBytes {
  const sum = weightBytes === 0 ? 'y' : 'sum'
  return encode({
    input: [value('x', 'float32', ['batch'])],
    output: [value('y', 'float32', ['batch'])],
    initializer: [
      floats('constant', [1], Float32Array.of(constant)),
      ...(weightBytes === 0
        ? []
        : [floats('ballast', [weightBytes / 4], new Float32Array(weightBytes / 4)), integer('zero', 0)]),
    ],
    node: [
      { opType: 'Add', input: ['x', 'constant'], output: [sum] },
      // The ballast's first element, which is 0, by an index known at the run only: nothing folds it away.
      ...(weightBytes === 0
        ? []
        : [
            { opType: 'Shape', input: ['x'], output: ['shape'] },
            { opType: 'Mul', input: ['shape', 'zero'], output: ['index'] },
            { opType: 'Gather', input: ['ballast', 'index'], output: ['nothing'] },
            { opType: 'Add', input: [sum, 'nothing'], output: ['y'] },
          ]),
    ],
  })
}

/** `y = x` for one element type, over `[rows, ?]`: a free dimension with a name and one without. */
export function identityModel(type: TensorType): ModelBytes {
  return encode({
    input: [value('x', type, ['rows', null])],
    output: [value('y', type, ['rows', null])],
    node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
  })
}

/** `y = x + x` for one element type, over `[n]`. */
export function doubleModel(type: TensorType): ModelBytes {
  return encode({
    input: [value('x', type, ['n'])],
    output: [value('y', type, ['n'])],
    node: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }],
  })
}

/** `y = x * 2` over float32 without any dimension. */
export function scalarModel(): ModelBytes {
  return encode({
    input: [value('x', 'float32', [])],
    output: [value('y', 'float32', [])],
    initializer: [floats('two', [], Float32Array.of(2))],
    node: [{ opType: 'Mul', input: ['x', 'two'], output: ['y'] }],
  })
}

/** `total = sum + x` and `twice = x * 2` over float32 `[n]`: `total` may be the next run's `sum`. */
export function runningSumModel(): ModelBytes {
  return encode({
    input: [value('x', 'float32', ['n']), value('sum', 'float32', ['n'])],
    output: [value('total', 'float32', ['n']), value('twice', 'float32', ['n'])],
    initializer: [floats('two', [], Float32Array.of(2))],
    node: [
      { opType: 'Add', input: ['sum', 'x'], output: ['total'] },
      { opType: 'Mul', input: ['x', 'two'], output: ['twice'] },
    ],
  })
}

/** Joins `left`, float32 `[batch, left_width]`, and `right`, float32 `[batch, 2]`, row by row into `joined`. */
export function joinModel(): ModelBytes {
  return encode({
    input: [value('left', 'float32', ['batch', 'left_width']), value('right', 'float32', ['batch', 2])],
    output: [value('joined', 'float32', ['batch', null])],
    node: [
      { opType: 'Concat', input: ['left', 'right'], output: ['joined'], attribute: [attribute('axis', 1)] },
    ],
  })
}

/** Two layers with a ReLU between and a softmax at the end: float32 `[batch, inputs]` to `[batch, outputs]`. */
export function mlpModel({ inputs = 8, hidden = 16, outputs = 4, seed = 1 } = {}): ReckonedModel {
  const random = pseudoRandom(seed)
  const first = randomFloats(random, inputs * hidden)
  const second = randomFloats(random, hidden * outputs)
  const bias = randomFloats(random, outputs)
  const bytes = encode({
    input: [value('x', 'float32', ['batch', inputs])],
    output: [value('y', 'float32', ['batch', outputs])],
    initializer: [
      floats('first', [inputs, hidden], first),
      floats('second', [hidden, outputs], second),
      floats('bias', [outputs], bias),
    ],
    node: [
      { opType: 'MatMul', input: ['x', 'first'], output: ['raw'] },
      { opType: 'Relu', input: ['raw'], output: ['active'] },
      { opType: 'MatMul', input: ['active', 'second'], output: ['logits'] },
      { opType: 'Add', input: ['logits', 'bias'], output: ['biased'] },
      { opType: 'Softmax', input: ['biased'], output: ['y'], attribute: [attribute('axis', -1)] },
    ],
  })
  return {
    bytes,
    inputDims: (batch) => [batch, inputs],
    answer: (x) => {
      const active = multiply(x, first, inputs, hidden).map((element) => Math.max(0, element))
      return softmaxRows(
        multiply(active, second, hidden, outputs).map(
          (element, index) => element + at(bias, index % outputs),
        ),
        outputs,
      )
    },
  }
}

/**
 * A 3x3 convolution of 9 channels into 8 over pictures of 6x5, padded by 1: float32 `[batch, 9, 6, 5]` to
 * `[batch, 8, 6, 5]`. ONNX Runtime's webgpu provider answers it wrong unless its layout is NCHW.
 */
export function convolutionModel(seed = 1): ReckonedModel {
  const [channels, filters, height, width, kernel] = [9, 8, 6, 5, 3]
  const weights = randomFloats(pseudoRandom(seed), filters * channels * kernel * kernel)
  const bytes = encode({
    input: [value('x', 'float32', ['batch', channels, height, width])],
    output: [value('y', 'float32', ['batch', filters, height, width])],
    initializer: [floats('weights', [filters, channels, kernel, kernel], weights)],
    node: [
      {
        opType: 'Conv',
        input: ['x', 'weights'],
        output: ['y'],
        attribute: [
          attribute('kernel_shape', [kernel, kernel]),
          attribute('strides', [1, 1]),
          attribute('pads', [1, 1, 1, 1]),
        ],
      },
    ],
  })
  const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
  const pixel = (x: Float32Array, plane: number, row: number, column: number): number =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : at(x, (plane * height + row) * width + column)
  const one = (x: Float32Array, picture: number, filter: number, row: number, column: number): number =>
    indices(channels * kernel * kernel).reduce((sum, tap) => {
      const [channel, down, right] = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3]
      const weight = at(weights, filter * channels * 9 + tap)
      return sum + weight * pixel(x, picture * channels + channel, row + down - 1, column + right - 1)
    }, 0)
  return {
    bytes,
    inputDims: (batch) => [batch, channels, height, width],
    answer: (x) =>
      indices(x.length / (channels * height * width)).flatMap((picture) =>
        indices(filters * height * width).map((index) =>
          one(
            x,
            picture,
            Math.floor(index / (height * width)),
            Math.floor(index / width) % height,
            index % width,
          ),
        ),
      ),
  }
}

/**
 * A model whose run takes as long as one likes: `layers` products with one matrix of `width` squared, over
 * float32 `[rows, width]`. A run costs `2 * rows * width * width * layers` operations. The matrix moves every
 * column one to the right, so column `c` of `x` is column `(c + layers) % width` of `y`.
 */
export function slowModel({ layers = 64, width = 256 } = {}): ModelBytes {
  const matrix = new Float32Array(width * width)
  for (let column = 0; column < width; column++) matrix[column * width + ((column + 1) % width)] = 1
  const name = (layer: number): string => (layer === 0 ? 'x' : layer === layers ? 'y' : `layer_${layer}`)
  return encode({
    input: [value('x', 'float32', ['rows', width])],
    output: [value('y', 'float32', ['rows', width])],
    initializer: [floats('matrix', [width, width], matrix)],
    node: Array.from({ length: layers }, (_, layer) => ({
      opType: 'MatMul',
      input: [name(layer), 'matrix'],
      output: [name(layer + 1)],
    })),
  })
}

/**
 * Writes `y = x + constants` over float32 `[n]` into a folder as two files: `model.onnx`, and the constants as
 * external data. Gives the model's path.
 *
 * @param location where the model says that its data lies; a test of refusals may have it say what it likes
 */
export function writeExternalDataModel(
  folder: string,
  constants: readonly number[] = [1, 2, 3],
  location = 'model.onnx.data',
): string {
  const data = Float32Array.from(constants)
  const external = Object.entries({ location, offset: '0', length: `${data.byteLength}` })
  const path = join(folder, 'model.onnx')
  const bytes = encode({
    input: [value('x', 'float32', [data.length])],
    output: [value('y', 'float32', [data.length])],
    initializer: [
      {
        name: 'constants',
        dims: [data.length],
        dataType: elementTypeNumbers.float32,
        dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
        externalData: external.map(([key, text]) => ({ key, value: text })),
      },
    ],
    node: [{ opType: 'Add', input: ['x', 'constants'], output: ['y'] }],
  })
  writeFileSync(path, bytes)
  writeFileSync(join(folder, 'model.onnx.data'), new Uint8Array(data.buffer))
  return path
}

/** A sound model that gives a sequence of tensors, which no tensor of ours can carry. */
export function sequenceModel(): ModelBytes {
  const elemType = { tensorType: { elemType: elementTypeNumbers.float32 } }
  return encode({
    input: [value('x', 'float32', ['n'])],
    output: [{ name: 'y', type: { sequenceType: { elemType } } }],
    node: [{ opType: 'SequenceConstruct', input: ['x'], output: ['y'] }],
  })
}

/** A sound model that takes elements of a type that onnxruntime describes but cannot exchange: int4. */
export function int4Model(): ModelBytes {
  const int4 = 22
  return encode(
    {
      input: [{ name: 'x', type: { tensorType: { elemType: int4, shape: { dim: [{ dimParam: 'n' }] } } } }],
      output: [value('y', 'float32', ['n'])],
      initializer: [floats('scale', [], Float32Array.of(1))],
      node: [{ opType: 'DequantizeLinear', input: ['x', 'scale'], output: ['y'] }],
    },
    { irVersion: 10, opset: 21 },
  )
}

/** A model of an operator that does not exist. */
export function unknownOperatorModel(): ModelBytes {
  return encode({
    input: [value('x', 'float32', ['n'])],
    output: [value('y', 'float32', ['n'])],
    node: [{ opType: 'Conjure', input: ['x'], output: ['y'] }],
  })
}

/** Bytes that are no model, and look like nothing else. */
export function garbageBytes(length = 512): ModelBytes {
  const random = pseudoRandom(length)
  // A first byte of 0xff starts a field that no protocol buffer has.
  return Uint8Array.from({ length }, (_, index) => (index === 0 ? 0xff : Math.floor(random() * 256)))
}
