import { onnx } from 'onnx-proto'
import type { Operator, Parameter } from './network/layer.ts'
import type { Network } from './network/network.ts'

const { DataType } = onnx.TensorProto
const { AttributeType } = onnx.AttributeProto

/** What the graph and its two ends are called. */
export interface GraphNames {
  readonly graph: string
  readonly input: string
  readonly output: string
}

/**
 * Writes a network as an ONNX model: IR version 8, operator set 17, weights of 32 bits.
 *
 * Input and output hold any number of samples; that first dimension is called `batch`.
 */
export function encodeOnnx({ inputShape, layers, classes }: Network, names: GraphNames): Uint8Array {
  const nodes: onnx.INodeProto[] = []
  const initializers: onnx.ITensorProto[] = []
  let previous = names.input
  layers.forEach(({ operator, parameters }, index) => {
    const name = `${operator.type.toLowerCase()}${index}`
    const weights = parameters.map((parameter) => tensor(`${name}.${parameter.role}`, parameter))
    const output = index === layers.length - 1 ? names.output : name
    nodes.push({
      name,
      opType: operator.type,
      input: [previous, ...weights.map((weight) => weight.name)],
      output: [output],
      attribute: attributes(operator),
    })
    initializers.push(...weights)
    previous = output
  })
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'isoplex',
    graph: {
      name: names.graph,
      node: nodes,
      initializer: initializers,
      input: [valueInfo(names.input, inputShape)],
      output: [valueInfo(names.output, [classes])],
    },
  }).finish()
}

function attributes({ attributes }: Operator): onnx.IAttributeProto[] {
  return Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? { name, type: AttributeType.INT, i: value }
      : { name, type: AttributeType.INTS, ints: [...value] },
  )
}

function tensor(name: string, { dimensions, values }: Parameter): onnx.ITensorProto & { name: string } {
  const bytes = new DataView(new ArrayBuffer(4 * values.length))
  values.forEach((value, index) => {
    bytes.setFloat32(4 * index, value, true)
  })
  return { name, dataType: DataType.FLOAT, dims: [...dimensions], rawData: new Uint8Array(bytes.buffer) }
}

function valueInfo(name: string, dimensions: readonly number[]): onnx.IValueInfoProto {
  const dim = [{ dimParam: 'batch' }, ...dimensions.map((dimValue) => ({ dimValue }))]
  return { name, type: { tensorType: { elemType: DataType.FLOAT, shape: { dim } } } }
}
