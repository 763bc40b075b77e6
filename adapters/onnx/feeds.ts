import { type DeviceTensor, isDeviceTensor } from '../../runtime/engine/device-tensor.ts'
import type { Feeds, TensorFacts } from '../../runtime/engine/engine.ts'
import {
  assertTensorFits,
  elementCount,
  formatShape,
  isTensor,
  type Tensor,
} from '../../runtime/engine/tensor.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

/** Feeds that a model takes, in the order of its inputs. */
export type FittingFeeds = readonly (readonly [name: string, feed: Tensor | DeviceTensor])[]

/**
 * The feeds in the order of a model's inputs, once they are known to be what it takes: native code sees no
 * others.
 *
 * @throws {IsoplexError} `TENSOR_MISMATCH` where a feed is missing, unknown, of another type or shape, or holds
 * values that the runtime would read as others: a bool that is neither 0 nor 1, a text with a NUL character.
 * @throws {TypeError} where a feed is no tensor.
 */
export function validateFeeds(inputs: readonly TensorFacts[], feeds: Feeds): FittingFeeds {
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((input) => input.name === name)) {
      const known = inputs.map((input) => `"${input.name}"`).join(', ') || 'none'
      throw mismatch(name, `The model has no input "${name}"; its inputs are ${known}.`)
    }
  }
  return inputs.map((input) => {
    const given = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined
    if (given === undefined) {
      throw mismatch(
        input.name,
        `Input "${input.name}" is missing; the model takes ${input.type} ${formatShape(input.dims)}.`,
      )
    }
    assertFeedFits(input, given)
    return [input.name, given]
  })
}

/**
 * Which inputs disagree about a free dimension that the model gives one name; `undefined` where all agree.
 * The runtime itself takes such feeds, and a model with careless names runs well on them, so this only
 * explains a run that has failed.
 */
export function findDisagreement(inputs: readonly TensorFacts[], feeds: Feeds): IsoplexError | undefined {
  const sizes = new Map<string, { readonly input: string; readonly size: number }>()
  for (const { name, dims } of inputs) {
    const given = feeds[name]?.dims ?? []
    for (const [axis, dim] of dims.entries()) {
      const size = given[axis]
      if (typeof dim !== 'string' || size === undefined) continue
      const first = sizes.get(dim)
      if (first === undefined) sizes.set(dim, { input: name, size })
      else if (first.size !== size) {
        return mismatch(
          name,
          `Input "${name}" takes the shape ${formatShape(dims)}, where ${dim} is ${first.size} by input "${first.input}"; got ${formatShape(given)}.`,
        )
      }
    }
  }
  return undefined
}

function assertFeedFits(input: TensorFacts, given: Tensor | DeviceTensor): void {
  const { name } = input
  if (isDeviceTensor(given)) {
    assertTensorFits(name, given, input.dims.length === 0 ? { ...input, dims: given.dims } : input)
    return
  }
  if (!isTensor(given)) throw new TypeError(`"feeds.${name}" must be a tensor made by tensor().`)
  // An empty shape stands for a scalar and for any shape: only the runtime can judge it.
  assertTensorFits(name, given, input.dims.length === 0 ? { ...input, dims: given.dims } : input)
  if (given.data.length !== elementCount(given.dims)) {
    throw mismatch(
      name,
      `Input "${name}" has ${given.data.length} elements for the shape ${formatShape(given.dims)}; was its memory handed to another thread?`,
    )
  }
  if (given.type === 'bool') assertElements(given, (byte) => byte === 0 || byte === 1, 'is neither 0 nor 1')
  if (given.type === 'string') {
    // The runtime takes texts as C strings: it would cut this one off.
    assertElements(given, (text) => !String(text).includes('\0'), 'holds a NUL character')
  }

  function assertElements(tensor: Tensor, holds: (element: unknown) => boolean, fault: string): void {
    const elements: ArrayLike<unknown> = tensor.data
    for (let position = 0; position < elements.length; position++) {
      if (!holds(elements[position])) throw mismatch(name, `Input "${name}": element ${position} ${fault}.`)
    }
  }
}

function mismatch(tensor: string, message: string): IsoplexError<'TENSOR_MISMATCH'> {
  return new IsoplexError('TENSOR_MISMATCH', message, { details: { tensor } })
}
