/** What ONNX models are put together from. */
import { onnx } from 'onnx-proto'
import type { TensorType } from '../../runtime/engine/tensor.ts'

/** The bytes of a model file. */
export type ModelBytes = Uint8Array<ArrayBuffer>

/** A dimension of an input or output: fixed, free by a name, or free without one. */
export type Dimension = number | string | null

/** ONNX's number of each element type that onnxruntime exchanges. */
export const elementTypeNumbers: { readonly [Type in TensorType]: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
}

/** The bytes of a model with one graph. */
export function encode(graph: onnx.IGraphProto, { irVersion = 8, opset = 17 } = {}): ModelBytes {
  const model = onnx.ModelProto.create({
    irVersion,
    opsetImport: [{ domain: '', version: opset }],
    graph: { name: 'graph', ...graph },
  })
  return new Uint8Array(onnx.ModelProto.encode(model).finish())
}

/** An input or output. */
export function value(name: string, type: TensorType, dims: readonly Dimension[]): onnx.IValueInfoProto {
  const dim = dims.map((size) =>
    typeof size === 'number' ? { dimValue: size } : size === null ? {} : { dimParam: size },
  )
  return { name, type: { tensorType: { elemType: elementTypeNumbers[type], shape: { dim } } } }
}

/** Weights. */
export function floats(name: string, dims: number[], data: Float32Array): onnx.ITensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { name, dims, dataType: elementTypeNumbers.float32, rawData }
}

/** An int64 without dimensions. */
export function integer(name: string, element: number): onnx.ITensorProto {
  return { name, dims: [], dataType: elementTypeNumbers.int64, int64Data: [element] }
}

/** A whole number, or several, as a node's attribute. */
export function attribute(name: string, content: number | number[]): onnx.IAttributeProto {
  const { INT, INTS } = onnx.AttributeProto.AttributeType
  return typeof content === 'number' ? { name, type: INT, i: content } : { name, type: INTS, ints: content }
}
