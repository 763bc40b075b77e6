import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { file, isFileSchema, isTensorSchema, takesMediaType, tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'

const png = (length: number) => fileValue(new Uint8Array(length), 'image/png')

describe('file', () => {
  it('takes any media type unless told otherwise', () => {
    expect(file()).toMatchObject({ type: 'string', format: 'binary', mediaTypes: ['*/*'] })
    expect(Value.Check(file(), png(1))).toBe(true)
  })

  it('keeps its description and writes media types in lower case', () => {
    const schema = file({ mediaTypes: ['Image/PNG'], description: 'A picture.', maxBytes: 10 })
    expect(schema).toMatchObject({ mediaTypes: ['image/png'], description: 'A picture.', maxBytes: 10 })
    expect(Object.isFrozen(schema.mediaTypes)).toBe(true)
  })

  it.each([
    ['a file', png(3), true],
    ['a file of exactly the limit', png(5), true],
    ['a file above the limit', png(6), false],
    ['an empty file', png(0), true],
    ['a file without a name', { bytes: new Uint8Array(1), mediaType: 'image/png' }, true],
    ['another media type', fileValue(new Uint8Array(1), 'image/gif'), false],
    ['a text', 'iVBORw0KGgo=', false],
    ['null', null, false],
    ['nothing', undefined, false],
    ['bytes alone', new Uint8Array(1), false],
    ['an array for bytes', { bytes: [1], mediaType: 'image/png' }, false],
    ['no media type', { bytes: new Uint8Array(1) }, false],
    ['a media type with parameters', { bytes: new Uint8Array(1), mediaType: 'image/png; a=b' }, false],
    ['a media type that breaks a header', { bytes: new Uint8Array(1), mediaType: 'a/b\r\nx: y' }, false],
  ])('judges %s alike compiled and interpreted', (_, value, fits) => {
    const schema = file({ mediaTypes: ['image/png'], maxBytes: 5 })
    expect(Value.Check(schema, value)).toBe(fits)
    expect(TypeCompiler.Compile(schema).Check(value)).toBe(fits)
  })

  it.each([
    [{ mediaTypes: [] }, '"mediaTypes" must be names such as image/png or image/*; got [].'],
    [{ mediaTypes: ['png'] }, '"mediaTypes" must be names such as image/png or image/*; got [png].'],
    [{ mediaTypes: ['image/png; q=1'] }, /"mediaTypes"/],
    [{ mediaTypes: ['image/png', 'a/b\n'] }, /"mediaTypes"/],
    [{ maxBytes: 0 }, '"maxBytes" must be a whole number from 1; got 0.'],
    [{ maxBytes: 1.5 }, /"maxBytes"/],
    [{ maxBytes: Number.NaN }, /"maxBytes"/],
    [{ maxBytes: Number.POSITIVE_INFINITY }, /"maxBytes"/],
  ])('refuses the options %j', (options, message) => {
    expect(() => file(options)).toThrow(TypeError)
    expect(() => file(options)).toThrow(message)
  })

  it('stays a file schema where TypeBox copies it', () => {
    const object = Type.Partial(Type.Object({ picture: file() }))
    expect(isFileSchema(object.properties.picture)).toBe(true)
    expect(isFileSchema(Type.Optional(file({ mediaTypes: ['image/*'] })))).toBe(true)
  })
})

describe('tensorOf', () => {
  const schema = tensorOf('float32', ['batch', null, 3])

  it.each([
    ['a tensor of the shape', tensor('float32', new Float32Array(12), [2, 2, 3]), true],
    ['a tensor without elements', tensor('float32', new Float32Array(0), [0, 2, 3]), true],
    ['another fixed dimension', tensor('float32', new Float32Array(8), [2, 2, 2]), false],
    ['fewer dimensions', tensor('float32', new Float32Array(6), [2, 3]), false],
    ['more dimensions', tensor('float32', new Float32Array(6), [1, 2, 1, 3]), false],
    ['another element type', tensor('float64', new Float64Array(6), [1, 2, 3]), false],
    ['the JSON form', { type: 'float32', dims: [1, 1, 3], data: [1, 2, 3] }, false],
    ['the bare array', new Float32Array(3), false],
    ['null', null, false],
  ])('judges %s alike compiled and interpreted', (_, value, fits) => {
    expect(Value.Check(schema, value)).toBe(fits)
    expect(TypeCompiler.Compile(schema).Check(value)).toBe(fits)
  })

  it('takes a tensor of another copy of isoplex', () => {
    const { type, data, dims } = tensor('float32', new Float32Array(3), [1, 1, 3])
    expect(Value.Check(schema, { type, data, dims, size: 3 })).toBe(true)
  })

  it('takes a scalar where the shape is empty', () => {
    expect(Value.Check(tensorOf('int64', []), tensor('int64', BigInt64Array.of(1n), []))).toBe(true)
  })

  it('does not keep the array of dimensions that it was given', () => {
    const dims = [1, 2]
    const made = tensorOf('float32', dims)
    dims[0] = 5
    expect(made.dims).toEqual([1, 2])
    expect(Object.isFrozen(made.dims)).toBe(true)
  })

  it.each([
    [[-1], '"dims" must be whole numbers from 0, names or null; got [-1].'],
    [[1.5, 2], /"dims"/],
    [[Number.NaN], /"dims"/],
    [[2 ** 53], /"dims"/],
  ])('refuses the dimensions %j', (dims, message) => {
    expect(() => tensorOf('float32', dims)).toThrow(TypeError)
    expect(() => tensorOf('float32', dims)).toThrow(message)
  })

  it('refuses an element type that there is not', () => {
    expect(() => tensorOf('float' as 'float32', [1])).toThrow(
      /^"type" must be one of float32, .*; got float\.$/,
    )
  })

  it('is told from a file, and both from what TypeBox makes', () => {
    for (const [made, isFile, isTensor] of [
      [file(), true, false],
      [schema, false, true],
      [Type.String({ mediaTypes: ['a/b'] }), false, false],
    ] as const) {
      expect(isFileSchema(made)).toBe(isFile)
      expect(isTensorSchema(made)).toBe(isTensor)
    }
  })
})

describe('takesMediaType', () => {
  it.each([
    [['image/png'], 'image/png', true],
    [['image/png'], 'image/pngx', false],
    [['image/*'], 'image/webp', true],
    [['image/*'], 'imagery/webp', false],
    [['image/*'], 'image', false],
    [['*/*'], 'anything/else', true],
    [['text/csv', 'image/*'], 'image/gif', true],
    [['text/csv', 'image/*'], 'text/plain', false],
    [[], 'image/png', false],
  ] as const)('of %j and %s is %s', (mediaTypes, mediaType, taken) => {
    expect(takesMediaType(mediaTypes, mediaType)).toBe(taken)
  })
})
