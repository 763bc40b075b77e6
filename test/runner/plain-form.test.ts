import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { createPlainForm, plainFormOf } from '../../runtime/runner/plain-form.ts'

const scores = tensor('float32', Float32Array.of(1, Number.NaN), [2])
const picture = fileValue(Uint8Array.of(1, 2, 3), 'image/png', 'a.png')
const plainScores = { type: 'float32', dims: [2], data: [1, 'NaN'] }
const plainPicture = 'data:image/png;base64,AQID'

describe('plainFormOf', () => {
  it('writes a tensor and a file', () => {
    expect(plainFormOf(scores)).toEqual(plainScores)
    expect(plainFormOf(picture)).toBe(plainPicture)
  })

  it('writes a tensor that another copy of isoplex made', () => {
    expect(plainFormOf({ ...scores })).toEqual(plainScores)
  })

  it.each([undefined, null, 5, 'text', [scores], { type: 'float32' }, { bytes: 'x', mediaType: 'a/b' }])(
    'leaves %j as it is',
    (value) => {
      expect(plainFormOf(value)).toBe(value)
    },
  )
})

describe('createPlainForm', () => {
  const Result = Type.Object({
    name: Type.String(),
    picture: Type.Optional(file()),
    rows: Type.Array(Type.Object({ scores: tensorOf('float32', [2]), best: Type.Optional(Type.Integer()) })),
  })
  const toPlain = createPlainForm(Result)
  const result = () => ({ name: 'a', picture, rows: [{ scores, best: 0 }, { scores }], more: { kept: true } })

  it('puts plain forms where the schema has files and tensors, and keeps the rest', () => {
    expect(toPlain(result())).toEqual({
      name: 'a',
      picture: plainPicture,
      rows: [{ scores: plainScores, best: 0 }, { scores: plainScores }],
      more: { kept: true },
    })
  })

  it('leaves the value as it was, frozen or not', () => {
    const given = result()
    toPlain(given)
    expect(given).toEqual(result())
    expect(given.picture).toBe(picture)
    expect(given.rows[0]?.scores).toBe(scores)
    const rows = Object.freeze(result().rows.map((row) => Object.freeze(row)))
    expect(toPlain(Object.freeze({ ...result(), rows }))).toEqual(toPlain(result()))
  })

  it('copies nothing where there is nothing to replace', () => {
    const value = { a: [1, 2] }
    expect(createPlainForm(Type.Object({ a: Type.Array(Type.Number()) }))(value)).toBe(value)
  })

  it('leaves out what is left out or undefined', () => {
    expect(toPlain({ name: 'a', rows: [] })).toEqual({ name: 'a', rows: [] })
    expect(JSON.stringify(toPlain({ name: 'a', picture: undefined, rows: [] }))).toBe(
      '{"name":"a","rows":[]}',
    )
  })

  it('takes a file or tensor at the top', () => {
    expect(createPlainForm(file())(picture)).toBe(plainPicture)
    expect(createPlainForm(tensorOf('float32', [2]))(scores)).toEqual(plainScores)
  })

  it('gives no object another prototype', () => {
    const schema = Type.Object({ ['__proto__']: Type.Object({ f: file() }) })
    const value = JSON.parse('{"__proto__":{}}')
    Object.defineProperty(value, '__proto__', { value: { f: picture }, enumerable: true })
    const plain = createPlainForm(schema)(value)
    expect(JSON.stringify(plain)).toBe(`{"__proto__":{"f":"${plainPicture}"}}`)
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype)
  })
})
