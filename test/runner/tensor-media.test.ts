import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tensor, tensorTypes } from '../../runtime/engine/tensor.ts'
import {
  readTensorMediaType,
  tensorBody,
  tensorMediaType,
  toTensorLabel,
} from '../../runtime/runner/tensor-media.ts'

describe('a media type of a tensor', () => {
  it('names element type and shape', () => {
    expect(tensorMediaType({ type: 'float32', dims: [1, 28, 28] })).toBe(
      'application/octet-stream; type=float32; dims="1,28,28"',
    )
    expect(tensorMediaType({ type: 'string', dims: [] })).toBe('application/json; type=string; dims=""')
  })

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.constantFrom(...tensorTypes), fc.array(fc.maxSafeNat()), (type, dims) => {
        expect(readTensorMediaType(tensorMediaType({ type, dims }))).toEqual({ type, dims })
      }),
    )
  })

  it('is taken with its parameters in any order', () => {
    expect(readTensorMediaType('application/octet-stream;dims="2"; charset=x;TYPE="int8"')).toEqual({
      type: 'int8',
      dims: [2],
    })
  })

  it.each([
    'application/octet-stream',
    'application/octet-stream; type=float32',
    'application/octet-stream; dims="1"',
    'application/octet-stream; type=toString; dims="1"',
    'application/octet-stream; type=float32; dims="1,,2"',
    'application/octet-stream; type=float32; dims="-1"',
    'application/octet-stream; type=float32; dims="99999999999999999999"',
  ])('is none: %s', (mediaType) => {
    expect(readTensorMediaType(mediaType)).toBeNull()
  })
})

it.each(['1.5', '1e3', '0x10', ' 1', 'a', ','])('takes no shape from "%s"', (dims) => {
  expect(toTensorLabel('float32', dims)?.dims ?? null).toBeNull()
})

it('has the bytes of numbers as they lie, and texts as a list in JSON', () => {
  const whole = Float32Array.of(1, 2, 3, 4)
  expect(tensorBody(tensor('float32', whole.subarray(1, 3), [2]))).toEqual(new Uint8Array(whole.buffer, 4, 8))
  expect(new TextDecoder().decode(tensorBody(tensor('string', ['ä', '"'], [2])))).toBe('["ä","\\""]')
})
