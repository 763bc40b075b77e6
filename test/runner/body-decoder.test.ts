import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { createBodyDecoder } from '../../runtime/runner/body-decoder.ts'
import { formBody, formType } from '../replica/form-body.ts'
import { issuesOf } from '../replica/refused.ts'
import { bytesOf, headOf } from '../replica/request-head.ts'

type Body = string | Uint8Array<ArrayBuffer>

function decode(schema: TSchema, body: Body, contentType: string | null = 'application/json'): unknown {
  return createBodyDecoder(schema)(headOf({ contentType }), typeof body === 'string' ? bytesOf(body) : body)
}

const Text = Type.Object({ text: Type.String() })

describe('a body of JSON', () => {
  it.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    ' application/json ',
    'application/vnd.api+json',
    'application/problem+json; a=b',
    '',
    null,
  ])('comes as %j', (contentType) => {
    expect(decode(Text, '{"text":"häß"}', contentType)).toEqual({ text: 'häß' })
  })

  it('may be any value that the schema takes, with a byte order mark before it', () => {
    expect(decode(Type.Null(), 'null')).toBe(null)
    expect(decode(Type.Number(), ' 5 ')).toBe(5)
    expect(decode(Type.String(), '\ufeff"a"')).toBe('a')
  })

  it.each([
    ['cut short', '{"text":', /^The body is not JSON: .*EOF/],
    ['no JSON', 'text=a', /^The body is not JSON: .*Unexpected identifier "text"/],
    ['two values', '{} {}', /^The body is not JSON: /],
    ['NaN', 'NaN', /^The body is not JSON: /],
    ['a deep nest that is cut short', '['.repeat(100_000), /^The body is not JSON: /],
    ['nothing', '', /^A body is required; it is empty$/],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /^The body is not JSON: .*not valid/],
    ['half a character', Uint8Array.of(0x22, 0xc3, 0x22), /^The body is not JSON: .*not valid/],
  ])('that is %s is refused at the top', async (_, body, message) => {
    const issues = await issuesOf(() => decode(Text, body))
    expect(issues).toEqual([{ path: '', message: expect.stringMatching(message) }])
  })

  it('that is refused is quoted in short only', async () => {
    const [issue] = await issuesOf(() => decode(Text, 'a'.repeat(1_000_000)))
    expect(issue?.message.length).toBeLessThan(500)
  })

  it('that does not fit is refused with its places', async () => {
    const schema = Type.Object({ list: Type.Array(Type.Object({ n: Type.Number() })) })
    expect(await issuesOf(() => decode(schema, '{"list":[{"n":1},{"n":"1"},{}]}'))).toEqual([
      { path: '/list/1/n', message: 'Expected number' },
      { path: '/list/2/n', message: 'Expected required property' },
    ])
  })

  it.each([
    ['anything', Type.Any()],
    ['an object', Text],
    ['a tree', Type.Recursive((This) => Type.Array(This))],
    ['a list with defaults', Type.Array(Type.Any(), { default: [] })],
  ])('of 100,000 nested arrays is refused by the schema of %s', async (_, schema) => {
    const nest = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(await issuesOf(() => decode(schema, nest))).toEqual([
      { path: '', message: 'JSON of more than 1000 levels is not taken' },
    ])
  })

  it('has no number beyond the range of numbers', async () => {
    expect(await issuesOf(() => decode(Type.Number(), '1e999'))).toEqual([
      { path: '', message: 'Expected number' },
    ])
  })

  it('may have an own __proto__, which is a property like any other', async () => {
    const body = '{"text":"a","__proto__":{"admin":true}}'
    const value = decode(Text, body) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    const strict = Type.Object({ text: Type.String() }, { additionalProperties: false, default: {} })
    expect(await issuesOf(() => decode(strict, body))).toEqual([
      { path: '/__proto__', message: 'Unexpected property' },
    ])
  })

  it('has its defaults filled in, at every depth', () => {
    const schema = Type.Object({
      size: Type.Integer({ default: 3 }),
      rows: Type.Array(Type.Object({ on: Type.Boolean({ default: true }) }), { default: [{}] }),
    })
    expect(decode(schema, '{}')).toEqual({ size: 3, rows: [{ on: true }] })
    expect(decode(schema, '{"size":5,"rows":[]}')).toEqual({ size: 5, rows: [] })
  })

  it('has nothing filled in or converted without a default', async () => {
    expect(await issuesOf(() => decode(Type.Object({ n: Type.Integer() }), '{"n":"5"}'))).toEqual([
      { path: '/n', message: 'Expected integer' },
    ])
  })
})

describe('a body of another type', () => {
  it.each([
    ['a text', Text, 'text/plain', ['application/json']],
    ['a form of another kind', Text, 'application/x-www-form-urlencoded', ['application/json']],
    ['a form where there is no file', Text, formType, ['application/json']],
    ['bytes where there is no tensor', Text, 'application/octet-stream', ['application/json']],
    ['another picture', file({ mediaTypes: ['image/png'] }), 'image/gif', ['application/json', 'image/png']],
    ['what is no type', file(), 'nonsense', ['application/json', '*/*']],
    ['a type with stars', file(), '*/*', ['application/json', '*/*']],
    [
      'bytes where more is compulsory',
      Type.Object({ scores: tensorOf('float32', [1]), n: Type.Number() }),
      'application/octet-stream',
      ['application/json', 'multipart/form-data'],
    ],
  ] as const)('is refused: %s', (_, schema, contentType, accepted) => {
    const run = () => decode(schema, 'x', contentType)
    expect(run).toThrow(expect.objectContaining({ code: 'MEDIA_TYPE_UNSUPPORTED', details: { accepted } }))
    expect(run).toThrow(`is not taken here; send ${accepted.join(' or ')}.`)
  })

  it('is named in short only', () => {
    const run = () => decode(Text, 'x', `text/${'x'.repeat(10_000)}`)
    expect(run).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{0,250}$/) }))
  })
})

describe('a file', () => {
  const png = file({ mediaTypes: ['image/png'], maxBytes: 4 })
  const Upload = Type.Object({ picture: png, title: Type.Optional(Type.String()) })
  const bytes = Uint8Array.of(1, 2, 3)

  it('comes as the body under its own media type', () => {
    expect(decode(png, bytes, 'image/png')).toEqual(fileValue(bytes, 'image/png'))
    expect(decode(png, bytes, 'Image/PNG; q=1')).toEqual(fileValue(bytes, 'image/png'))
    expect(decode(Upload, bytes, 'image/png')).toEqual({ picture: fileValue(bytes, 'image/png') })
  })

  it('is not copied out of the body', () => {
    expect((decode(png, bytes, 'image/png') as { bytes: Uint8Array }).bytes).toBe(bytes)
  })

  it('comes as base64 text in JSON', () => {
    expect(decode(Upload, '{"picture":"AQID","title":"a"}')).toEqual({
      picture: fileValue(bytes, 'image/png'),
      title: 'a',
    })
    expect(decode(png, '"data:image/png;base64,AQID"')).toEqual(fileValue(bytes, 'image/png'))
  })

  it('comes in a form, beside other fields', () => {
    const more = '; filename="a.bin"\r\nContent-Type: image/png'
    const body = formBody([
      { name: 'picture', value: bytes, more },
      { name: 'title', value: 'a' },
    ])
    const picture = fileValue(bytes, 'image/png', 'a.bin')
    expect(decode(Upload, body, formType)).toEqual({ picture, title: 'a' })
  })

  it('comes in a form even where any media type would do for the body', () => {
    const body = formBody([{ name: 'any', value: bytes, more: '; filename="a"\r\nContent-Type: image/gif' }])
    expect(decode(Type.Object({ any: file() }), body, formType)).toEqual({
      any: fileValue(bytes, 'image/gif', 'a'),
    })
  })

  it('comes as base64 text in a field of a form', () => {
    const body = formBody([{ name: 'picture', value: 'AQID' }])
    expect(decode(Upload, body, formType)).toEqual({ picture: fileValue(bytes, 'image/png') })
  })

  it('comes in a list, in both', () => {
    const schema = Type.Object({ pictures: Type.Array(png) })
    const more = '; filename="a"\r\nContent-Type: image/png'
    const body = formBody([1, 2].map((byte) => ({ name: 'pictures', value: Uint8Array.of(byte), more })))
    expect(decode(schema, body, formType)).toEqual({
      pictures: [
        fileValue(Uint8Array.of(1), 'image/png', 'a'),
        fileValue(Uint8Array.of(2), 'image/png', 'a'),
      ],
    })
    expect(decode(schema, '{"pictures":["AQ==","Ag=="]}')).toEqual({
      pictures: [fileValue(Uint8Array.of(1), 'image/png'), fileValue(Uint8Array.of(2), 'image/png')],
    })
  })

  it.each<[string, Body, string, string, RegExp]>([
    ['above its limit', new Uint8Array(5), 'image/png', '', /at most 4 bytes/],
    ['above its limit in JSON', '{"picture":"AQIDBAU="}', 'application/json', '/picture', /at most 4 bytes/],
    ['that is no base64', '{"picture":"?"}', 'application/json', '/picture', /base64/],
    [
      'of another type in JSON',
      '{"picture":"data:image/gif;base64,AQID"}',
      'application/json',
      '/picture',
      /image\/png/,
    ],
    ['that is a number', '{"picture":5}', 'application/json', '/picture', /Expected a file/],
    ['that is missing', '{}', 'application/json', '/picture', /Expected a file/],
    [
      'of another type in a form',
      formBody([{ name: 'picture', value: 'x', more: '; filename="a.png"\r\nContent-Type: image/gif' }]),
      formType,
      '/picture',
      /image\/png/,
    ],
  ])('%s is refused', async (_, body, contentType, path, message) => {
    const schema = contentType === 'image/png' ? png : Upload
    expect(await issuesOf(() => decode(schema, body, contentType))).toEqual([
      { path, message: expect.stringMatching(message) },
    ])
  })

  it('is pointed to where its name has slashes and tildes', async () => {
    const schema = Type.Object({ 'a/b~': Type.Array(png) })
    expect(await issuesOf(() => decode(schema, '{"a/b~":["AQID","?"]}'))).toEqual([
      { path: '/a~1b~0/1', message: expect.stringMatching(/base64/) },
    ])
  })
})

describe('a tensor', () => {
  const scores = tensorOf('float32', ['n'])
  const Scores = Type.Object({ scores, scale: Type.Number({ default: 2 }) })
  const Free = Type.Object({ scores, scale: Type.Optional(Type.Number({ default: 2 })) })
  const given = tensor('float32', Float32Array.of(1, 2), [2])
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer)

  it('comes as raw values', () => {
    expect(decode(scores, bytes, 'application/octet-stream')).toEqual(given)
    expect(decode(Free, bytes, 'application/octet-stream')).toEqual({ scores: given, scale: 2 })
  })

  it('comes as JSON', () => {
    expect(decode(scores, '{"dims":[2],"data":[1,2]}')).toEqual(given)
    expect(decode(Scores, '{"scores":{"type":"float32","dims":[2],"data":[1,2]}}')).toEqual({
      scores: given,
      scale: 2,
    })
  })

  it('comes as bytes that say what they are, whatever dimensions are free', () => {
    const free = tensorOf('float32', [null, 'm'])
    const typed = 'application/octet-stream; type=float32; dims="2,1"'
    expect(decode(free, bytes, typed)).toEqual(tensor('float32', Float32Array.of(1, 2), [2, 1]))
  })

  it.each([
    ['of another type', 'application/octet-stream; type=int32; dims="2"'],
    ['of another shape', 'application/octet-stream; type=float32; dims="2,1"'],
    ['of more values', 'application/octet-stream; type=float32; dims="3"'],
  ])('is not taken for what it does not say: bytes %s', async (_, contentType) => {
    expect(await issuesOf(() => decode(scores, bytes, contentType))).toHaveLength(1)
  })

  it('is a tensor with all its ways', () => {
    const read = decode(scores, bytes, 'application/octet-stream') as Tensor
    expect(read.rows().map((row) => row.item())).toEqual([1, 2])
  })

  it('is refused at its place', async () => {
    const run = (body: Body, type = 'application/json') => issuesOf(() => decode(Free, body, type))
    expect(await run(new Uint8Array(3), 'application/octet-stream')).toEqual([
      { path: '/scores', message: '3 bytes do not fill float32 values of shape [n]' },
    ])
    expect(await run('{"scores":{"dims":[2],"data":[1,null]}}')).toEqual([
      { path: '/scores/data/1', message: 'Expected a float32 value' },
    ])
    expect(await run('{"scores":null}')).toMatchObject([{ path: '/scores' }])
  })
})

describe('one decoder', () => {
  it('keeps nothing from one body to the next, be it good or bad', async () => {
    const decode = createBodyDecoder(Type.Object({ list: Type.Array(Type.Number(), { default: [] }) }))
    const one = decode(headOf(), bytesOf('{}')) as { list: number[] }
    one.list.push(1)
    await issuesOf(() => decode(headOf(), Uint8Array.of(0xff)))
    await issuesOf(() => decode(headOf(), bytesOf('[')))
    expect(decode(headOf(), bytesOf('{}'))).toEqual({ list: [] })
  })
})
