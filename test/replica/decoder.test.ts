import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { file, fileValue, tensorOf } from '../../runtime/define/schema.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { createDecoder, type Decoded } from '../../runtime/replica/decoder.ts'
import type { RequestHead } from '../../runtime/replica/message.ts'
import { formBody, formType } from './form-body.ts'
import { issuesOf } from './refused.ts'
import { bytesOf, headOf } from './request-head.ts'

type Body = string | Uint8Array<ArrayBuffer>

/** Decodes one body by an input schema. */
function decode(input: TSchema, body: Body, contentType: string | null = 'application/json'): unknown {
  const decoder = createDecoder(defineFunction({ input, handler: () => null }))
  return decoder(headOf({ contentType }), typeof body === 'string' ? bytesOf(body) : body).input
}

/** Decodes the path and query of one request. */
function decodeHead(
  schemas: {
    readonly params?: ReturnType<typeof Type.Object>
    readonly query?: ReturnType<typeof Type.Object>
  },
  head: Partial<RequestHead>,
): Decoded {
  return createDecoder(defineFunction({ ...schemas, handler: () => null }))(headOf(head), new Uint8Array())
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

  it('of 100,000 nested arrays is refused where it does not fit, and taken where anything does', async () => {
    const nest = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(await issuesOf(() => decode(Text, nest))).toEqual([{ path: '', message: 'Expected object' }])
    expect(Array.isArray(decode(Type.Any(), nest))).toBe(true)
    expect(Array.isArray(decode(Type.Array(Type.Any(), { default: [] }), nest))).toBe(true)
  })

  it('of a million nested arrays is refused by a recursive schema, not by a crash', async () => {
    const nest = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    const schema = Type.Recursive((This) => Type.Array(This))
    expect(await issuesOf(() => decode(schema, nest))).toEqual([
      { path: '', message: 'Expected a value that is nested less deeply' },
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
      ['application/json'],
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

describe('path parameters', () => {
  const params = Type.Object({ id: Type.Integer({ minimum: 1 }), name: Type.String() })

  it('become what their schema asks for', () => {
    expect(decodeHead({ params }, { params: { id: '7', name: '8' } }).params).toEqual({ id: 7, name: '8' })
  })

  it('are refused under /params', async () => {
    const run = (id: string) => issuesOf(() => decodeHead({ params }, { params: { id, name: 'a' } }))
    for (const id of ['x', '1.5', '', '0x10', '1 2']) {
      expect(await run(id)).toEqual([{ path: '/params/id', message: 'Expected integer' }])
    }
    expect(await run('0')).toEqual([
      { path: '/params/id', message: 'Expected integer to be greater or equal to 1' },
    ])
  })
})

describe('query parameters', () => {
  const query = Type.Object({
    to: Type.Integer({ default: 10 }),
    loud: Type.Optional(Type.Boolean()),
    tags: Type.Optional(Type.Array(Type.String())),
    sizes: Type.Optional(Type.Array(Type.Number())),
    text: Type.Optional(Type.String()),
  })
  const read = (url: string) => decodeHead({ query }, { url }).query

  it.each([
    ['/a', { to: 10 }],
    ['/a?', { to: 10 }],
    ['/a?to=5&loud=true', { to: 5, loud: true }],
    ['/a?to=1e3', { to: 1000 }],
    ['/a?tags=b', { to: 10, tags: ['b'] }],
    ['/a?tags=b&to=1&tags=5', { to: 1, tags: ['b', '5'] }],
    ['/a?sizes=1&sizes=2.5', { to: 10, sizes: [1, 2.5] }],
    ['/a?text=5', { to: 10, text: '5' }],
    ['/a?text=h%C3%A4%20%C3%9F+x%26y', { to: 10, text: 'hä ß x&y' }],
    ['/a?text=a?b', { to: 10, text: 'a?b' }],
    ['/a?text', { to: 10, text: '' }],
    ['/a?other=1&other=2', { to: 10, other: ['1', '2'] }],
    ['/a?__proto__=x', { to: 10, ['__proto__']: 'x' }],
  ])('of %s', (url, expected) => {
    expect(read(url)).toEqual(expected)
    expect(Object.getPrototypeOf(read(url))).toBe(Object.prototype)
  })

  it.each([
    ['/a?to=', '/query/to'],
    ['/a?to=1.5', '/query/to'],
    ['/a?to=0x10', '/query/to'],
    ['/a?to=1&to=2', '/query/to'],
    ['/a?loud=yes', '/query/loud'],
    ['/a?sizes=1&sizes=x', '/query/sizes/1'],
  ])('of %s are refused at %s', async (url, path) => {
    expect((await issuesOf(() => read(url))).map((issue) => issue.path)).toEqual([path])
  })

  it('of a query as long as headers may be are read in a moment', () => {
    const names = Array.from({ length: 30_000 }, (_, index) => `n${index.toString(36)}`)
    const started = performance.now()
    expect(Object.keys(read(`/a?${names.join('&')}`) as object)).toHaveLength(30_001)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('what has no schema', () => {
  it('is not read', () => {
    const decode = createDecoder(defineFunction({ handler: () => null }))
    const head = headOf({ url: '/?a=1', params: { id: '1' }, contentType: 'nonsense' })
    expect(decode(head, bytesOf('nonsense'))).toEqual({
      params: undefined,
      query: undefined,
      input: undefined,
    })
  })
})

describe('one decoder', () => {
  it('keeps nothing from one request to the next, be it good or bad', async () => {
    const decode = createDecoder(
      defineFunction({
        input: Type.Object({ list: Type.Array(Type.Number(), { default: [] }) }),
        handler: () => null,
      }),
    )
    const one = decode(headOf(), bytesOf('{}')).input as { list: number[] }
    one.list.push(1)
    await issuesOf(() => decode(headOf(), Uint8Array.of(0xff)))
    await issuesOf(() => decode(headOf(), bytesOf('[')))
    expect(decode(headOf(), bytesOf('{}')).input).toEqual({ list: [] })
  })
})
