import { type DeviceTensor, isDeviceTensor } from '../../runtime/engine/device-tensor.ts'
import type { Feeds } from '../../runtime/engine/engine.ts'
import { formatShape, type Tensor, type TensorType } from '../../runtime/engine/tensor.ts'

/**
 * How far a floating-point element may lie from the reference: `ofElement` times its own magnitude plus `ofTensor`
 * times the largest finite magnitude in its tensor. Wide enough for a model that computes in float16 inside, narrow
 * enough for kernels that are wrong, whose errors are as large as the values.
 */
export const tolerance = Object.freeze({ ofElement: 1e-2, ofTensor: 5e-3 })

/**
 * Says where answers lie too far from those of a reference; `null` where they agree. Elements that are no
 * floating-point numbers must be equal; NaN equals NaN, and an infinity itself.
 */
export async function findDeviation(answers: Feeds, reference: Feeds): Promise<string | null> {
  for (const [name, expected] of Object.entries(reference)) {
    const given = answers[name]
    if (given === undefined) return `there is no output "${name}"`
    const fault = findTensorDeviation(await plain(given), await plain(expected))
    if (fault !== null) return `output "${name}" ${fault}`
  }
  return null
}

function findTensorDeviation(given: Tensor, expected: Tensor): string | null {
  const [ours, theirs] = [formatShape(given.dims), formatShape(expected.dims)]
  if (given.type !== expected.type || ours !== theirs) {
    return `is ${given.type} ${ours} instead of ${expected.type} ${theirs}`
  }
  const position = isFloat(expected.type)
    ? findFar(given.data as Float32Array, expected.data as Float32Array)
    : findUnequal(given.data, expected.data)
  if (position === -1) return null
  return `has ${given.at(position)} instead of ${expected.at(position)} at position ${position}`
}

function findFar(given: Float32Array, expected: Float32Array): number {
  const { ofElement, ofTensor } = tolerance
  const room = ofTensor * largestMagnitude(expected)
  return expected.findIndex((wanted, position) => {
    const element = Number(given[position])
    // Also where both are the same infinity, or both NaN.
    if (Object.is(element, wanted)) return false
    if (!Number.isFinite(wanted) || !Number.isFinite(element)) return true
    return Math.abs(element - wanted) > room + ofElement * Math.abs(wanted)
  })
}

function findUnequal(given: ArrayLike<unknown>, expected: ArrayLike<unknown>): number {
  for (let position = 0; position < expected.length; position++) {
    if (given[position] !== expected[position]) return position
  }
  return -1
}

function largestMagnitude(elements: Float32Array): number {
  let largest = 0
  for (const element of elements) {
    const magnitude = Math.abs(element)
    if (magnitude > largest && magnitude !== Number.POSITIVE_INFINITY) largest = magnitude
  }
  return largest
}

function isFloat(type: TensorType): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16'
}

async function plain(tensor: Tensor | DeviceTensor): Promise<Tensor> {
  return isDeviceTensor(tensor) ? await tensor.read() : tensor
}
