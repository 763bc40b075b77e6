import { type Static, Type } from '@sinclair/typebox'
import { type FileValue, file, fileValue, type Tensor, tensor, tensorOf } from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

// `file()` stands for a file wherever TypeBox takes a schema.
const Upload = Type.Object({ picture: file({ mediaTypes: ['image/png'] }), more: Type.Array(file()) })
assertType<Equal<Static<typeof Upload>, { picture: FileValue; more: FileValue[] }>>()

// Bytes over memory that may be shared are not taken: they could change while they are sent.
assertType<Equal<FileValue['bytes'], Uint8Array<ArrayBuffer>>>()
// @ts-expect-error shared memory is no file
fileValue(new Uint8Array(new SharedArrayBuffer(1)), 'image/png')

// @ts-expect-error a file without a media type cannot be sent as one
fileValue(new Uint8Array(1))

// @ts-expect-error media types are a list, even where there is one
file({ mediaTypes: 'image/png' })

// @ts-expect-error a misspelt limit would be no limit
file({ maxSize: 10 })

// `tensorOf` carries the element type, from which the elements' plain type follows.
const Scores = tensorOf('float16', ['batch', null, 3])
assertType<Equal<Static<typeof Scores>, Tensor<'float16'>>>()
assertType<Equal<ReturnType<Static<typeof Scores>['item']>, number>>()
assertType<Equal<ReturnType<Tensor<'bool'>['item']>, boolean>>()
assertType<Equal<ReturnType<Tensor<'uint64'>['item']>, bigint>>()
assertType<Equal<ReturnType<Tensor<'string'>['item']>, string>>()

// @ts-expect-error an element type as other libraries spell it
tensorOf('f32', [1])

// @ts-expect-error a free dimension is a name or `null`
tensorOf('float32', [undefined])

// @ts-expect-error a tensor's type and its array go together: other bytes would be other numbers
tensor('float32', Float64Array.of(1), [1])

// @ts-expect-error plain numbers have no element type of their own
tensor('float32', [1], [1])
