import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { createDecoder, type Decoded } from '../../runtime/runner/decoder.ts'
import type { RequestHead } from '../../runtime/runner/head.ts'
import { issuesOf } from '../replica/refused.ts'
import { bytesOf, headOf } from '../replica/request-head.ts'

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

describe('a decoder', () => {
  const query = Type.Object({ n: Type.Integer() })
  const decode = createDecoder(
    defineFunction({
      params: Type.Object({ id: Type.String() }),
      query,
      input: Type.Object({ a: Type.Number() }),
      handler: () => null,
    }),
  )

  it('reads path, query and body of one request', () => {
    const head = headOf({ url: '/x?n=2', params: { id: '1' } })
    expect(decode(head, bytesOf('{"a":3}'))).toEqual({
      params: { id: '1' },
      query: { n: 2 },
      input: { a: 3 },
    })
  })

  it('refuses by path and query before it reads the body', async () => {
    const head = headOf({ url: '/x?n=x', params: { id: '1' } })
    expect((await issuesOf(() => decode(head, bytesOf('nonsense')))).map(({ path }) => path)).toEqual([
      '/query/n',
    ])
  })
})
