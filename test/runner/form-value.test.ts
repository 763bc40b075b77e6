import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { createBodyDecoder } from '../../runtime/runner/body-decoder.ts'
import { isFilledForm, tensorOfLabel, valueOfForm } from '../../runtime/runner/form-value.ts'
import { parseMultipart } from '../../runtime/runner/multipart.ts'
import { type FormField, formBody, formType } from '../replica/form-body.ts'
import { issuesOf } from '../replica/refused.ts'
import { bytesOf, headOf } from '../replica/request-head.ts'

const typed = (mediaType: string): string => `\r\nContent-Type: ${mediaType}`
const json = (value: string): FormField => ({ name: '', value, more: typed('application/json') })
const read = (...fields: readonly FormField[]): unknown =>
  valueOfForm(parseMultipart(formType, formBody(fields)))

describe('a filled form', () => {
  it('is told by its first part', () => {
    const isFilled = (...fields: FormField[]): boolean =>
      isFilledForm(parseMultipart(formType, formBody(fields)))
    expect(isFilled(json('{}'))).toBe(true)
    expect(isFilled({ name: '', value: '{}' })).toBe(false)
    expect(isFilled({ name: 'a', value: '{}', more: typed('application/json') }, json('{}'))).toBe(false)
    expect(isFilled()).toBe(false)
  })

  it('has files and tensors in the places that the parts name', () => {
    const more = '; filename="a.png"\r\nContent-Type: image/png'
    expect(
      read(
        json('{"a":{"b":[null,null]},"c":null}'),
        { name: '/a/b/1', value: Uint8Array.of(1), more },
        {
          name: '/a/b/0',
          value: Uint8Array.of(2),
          more: typed('application/octet-stream; type=uint8; dims="1"'),
        },
        { name: '/c', value: Uint8Array.of(3) },
      ),
    ).toEqual({
      a: { b: [tensor('uint8', Uint8Array.of(2), [1]), fileValue(Uint8Array.of(1), 'image/png', 'a.png')] },
      c: fileValue(Uint8Array.of(3), 'application/octet-stream'),
    })
  })

  it.each([
    ['a place that is not there', '/b'],
    ['a place that holds something', '/full'],
    ['a place in what holds none', '/full/a'],
    ['what every object has', '/toString'],
    ['the length of a list', '/list/length'],
    ['the next place of a list', '/list/1'],
    ['the whole', ''],
    ['no pointer', 'a'],
    ['broken percent signs', '/%zz'],
  ])('refuses a part for %s', async (_, name) => {
    const root = json('{"a":null,"full":1,"list":[null]}')
    expect(await issuesOf(() => read(root, { name, value: 'x' }))).toHaveLength(1)
    expect(Object.prototype.toString).toBeTypeOf('function')
  })

  it('refuses two parts for one place', async () => {
    const part = { name: '/a', value: 'x' }
    expect(await issuesOf(() => read(json('{"a":null}'), part, part))).toMatchObject([{ path: '/a' }])
  })

  it.each(['', '{', '[1,', 'nothing'])('refuses %j, which is no JSON', async (text) => {
    expect(await issuesOf(() => read(json(text)))).toEqual([{ path: '', message: 'Expected JSON' }])
  })

  it('changes nothing but the value that it makes', () => {
    const value = read(json('{"__proto__":{"admin":null}}'), { name: '/__proto__/admin', value: 'x' })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.prototype).not.toHaveProperty('admin')
  })
})

describe('tensorOfLabel', () => {
  it('makes a tensor of bytes and of texts', () => {
    expect(tensorOfLabel({ type: 'int16', dims: [1, 2] }, Uint8Array.of(1, 0, 2, 0), '')).toEqual(
      tensor('int16', Int16Array.of(1, 2), [1, 2]),
    )
    expect(tensorOfLabel({ type: 'string', dims: [1] }, bytesOf('["a"]'), '')).toEqual(
      tensor('string', ['a'], [1]),
    )
  })

  it.each([
    ['too few bytes', { type: 'float32', dims: [2] }, 'abcd'],
    ['texts that are numbers', { type: 'string', dims: [1] }, '[1]'],
    ['texts that are none', { type: 'string', dims: [1] }, '{}'],
    ['too few texts', { type: 'string', dims: [2] }, '["a"]'],
    ['billions of empty rows', { type: 'float32', dims: [4_000_000_000, 0] }, ''],
  ] as const)('refuses %s', async (_, label, text) => {
    expect(await issuesOf(() => tensorOfLabel(label, bytesOf(text), '/a'))).toHaveLength(1)
  })
})

describe('a tensor of a request', () => {
  const scores = tensorOf('float32', ['n'])
  const Scores = Type.Object({ scores, scale: Type.Number({ default: 2 }) })
  const given = tensor('float32', Float32Array.of(1, 2), [2])
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer)
  const decode = (schema: TSchema, body: Uint8Array<ArrayBuffer>, contentType: string): unknown =>
    createBodyDecoder(schema)(headOf({ contentType }), body)

  it('comes as a part of a form, by its field or by its place', () => {
    const more = '\r\nContent-Type: application/octet-stream; type=float32; dims="2"'
    const root = { name: '', value: '{"scores":null}', more: '\r\nContent-Type: application/json' }
    const asField = { name: 'scores', value: bytes, more: '; filename="a"' }
    const asPlace = { name: '/scores', value: bytes, more }
    expect(decode(Scores, formBody([asField]), formType)).toEqual({ scores: given, scale: 2 })
    expect(decode(Scores, formBody([root, asPlace]), formType)).toEqual({ scores: given, scale: 2 })
    const list = { ...root, value: '[{"scores":null}]' }
    expect(decode(Type.Array(Scores), formBody([list, { ...asPlace, name: '/0/scores' }]), formType)).toEqual(
      [{ scores: given, scale: 2 }],
    )
  })

  it('is refused in a form of fields where no object is taken', async () => {
    const body = formBody([{ name: 'scores', value: bytes }])
    expect(await issuesOf(() => decode(Type.Array(Scores), body, formType))).toMatchObject([{ path: '' }])
  })
})
