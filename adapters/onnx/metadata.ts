import type { InferenceSession } from 'onnxruntime-common'
import type { TensorFacts } from '../../runtime/engine/engine.ts'
import { isTensorType } from './value.ts'

// Builds for wasm give the −1 of a free dimension without a name as an unsigned number.
const unnamedDim = 2 ** 32 - 1

/**
 * The inputs or outputs of a model as ONNX Runtime describes them.
 *
 * @throws {Error} where one is no tensor, or holds elements that no tensor of ours can: such a model loads but
 * could never be run.
 */
export function toTensorFacts(
  role: 'input' | 'output',
  metadata: readonly InferenceSession.ValueMetadata[],
): readonly TensorFacts[] {
  return Object.freeze(metadata.map((value) => factsOf(role, value)))
}

function factsOf(role: 'input' | 'output', value: InferenceSession.ValueMetadata): TensorFacts {
  if (!value.isTensor) {
    throw new Error(
      `the ${role} "${value.name}" is no tensor; export the model with tensors only (scikit-learn: zipmap off)`,
    )
  }
  const { name, type, shape } = value
  if (!isTensorType(type)) {
    throw new Error(`the ${role} "${name}" holds ${type} elements, which the runtime cannot exchange`)
  }
  const dims = shape.map((dim) => (dim === '' || dim === unnamedDim ? null : dim))
  return Object.freeze({ name, type, dims: Object.freeze(dims) })
}
