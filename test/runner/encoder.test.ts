import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { createEncoder, isAsyncIterable, type Reply } from '../../runtime/runner/encoder.ts'
import { issuesOf } from '../replica/refused.ts'
import { headOf } from '../replica/request-head.ts'

/** Encodes one result by an output schema. */
function encode(result: unknown, output?: TSchema, accept: string | null = null): Reply {
  const handler = (): unknown => null
  const definition = output
    ? defineFunction({ output, handler: handler as never })
    : defineFunction({ handler })
  return createEncoder(definition)(result, headOf({ accept }))
}

async function bytesOfBody({ body }: Reply): Promise<Uint8Array> {
  return await new Response(body as BodyInit).bytes()
}

async function textOf(reply: Reply): Promise<string> {
  return new TextDecoder().decode(await bytesOfBody(reply))
}

const headerOf = (reply: Reply, name: string): string | undefined =>
  reply.head.headers.find(([header]) => header === name)?.[1]

const scores = tensor('float32', Float32Array.of(1, Number.NaN), [2])
const picture = fileValue(Uint8Array.of(1, 2, 3), 'image/png', 'a.png')

describe('a value', () => {
  it.each([
    ['an object', { a: [1, 'ä', null] }, '{"a":[1,"ä",null]}'],
    ['a text', 'a', '"a"'],
    ['null', null, 'null'],
    ['false', false, 'false'],
    ['what has a JSON form of its own', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['NaN and the infinities, for which JSON has no word', [Number.NaN, -Infinity], '[null,null]'],
  ])('is sent as JSON: %s', async (_, value, json) => {
    const reply = encode(value)
    expect(reply.head).toEqual({ status: 200, headers: [['content-type', 'application/json']] })
    expect(await textOf(reply)).toBe(json)
  })

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
  ])('that is %s is an empty reply', async (_, value) => {
    const reply = encode(value)
    expect(reply.head).toEqual({ status: 204, headers: [] })
    expect(await bytesOfBody(reply)).toHaveLength(0)
  })

  it.each([
    ['a bigint', { id: 5n }],
    [
      'a circle',
      (() => {
        const circle: { self?: unknown } = {}
        circle.self = circle
        return circle
      })(),
    ],
  ])('that JSON cannot write is an error of the function: %s', (_, value) => {
    expect(() => encode(value)).toThrow(TypeError)
  })

  it('that the output schema refuses is refused with its places', async () => {
    const Count = Type.Object({ count: Type.Integer() })
    const run = () => encode({ count: 1.5 }, Count)
    expect(run).toThrow(expect.objectContaining({ code: 'OUTPUT_INVALID', status: 500 }))
    expect(await issuesOf(run)).toEqual([{ path: '/count', message: 'Expected integer' }])
    expect(await issuesOf(() => encode(undefined, Count))).toEqual([{ path: '', message: 'Expected object' }])
    expect(await issuesOf(() => encode({ count: Number.NaN }, Count))).toHaveLength(1)
  })
})

describe('a file', () => {
  it.each([
    ['with a schema', file({ mediaTypes: ['image/*'] })],
    ['without', undefined],
  ])('is sent as its bytes %s', async (_, schema) => {
    const reply = encode(picture, schema)
    expect(reply.head).toEqual({ status: 200, headers: [['content-type', 'image/png']] })
    expect(reply.body).toBe(picture.bytes)
  })

  it('of another media type than the schema has is refused', async () => {
    expect(await issuesOf(() => encode(picture, file({ mediaTypes: ['image/gif'] })))).toEqual([
      { path: '', message: 'Expected a file (image/gif)' },
    ])
  })

  it('whose media type would break the header is refused', async () => {
    const hostile = { bytes: new Uint8Array(1), mediaType: 'text/html\r\nset-cookie: a=b', name: null }
    expect(await issuesOf(() => encode(hostile, file()))).toHaveLength(1)
  })
})

describe('a tensor', () => {
  const json = '{"type":"float32","dims":[2],"data":[1,"NaN"]}'

  it.each([
    ['nothing', null],
    ['anything', '*/*'],
    ['JSON', 'application/json'],
    ['another type that ends alike', 'x-application/octet-stream'],
  ])('is sent as JSON to whoever accepts %s', async (_, accept) => {
    for (const schema of [tensorOf('float32', [2]), undefined]) {
      const reply = encode(scores, schema, accept)
      expect(headerOf(reply, 'content-type')).toBe('application/json')
      expect(await textOf(reply)).toBe(json)
    }
  })

  it.each(['application/octet-stream', 'application/json;q=0.5, Application/Octet-Stream;q=1'])(
    'is sent as its bytes to whoever accepts %s',
    async (accept) => {
      for (const schema of [tensorOf('float32', [2]), undefined]) {
        const reply = encode(scores, schema, accept)
        expect(reply.head.headers).toEqual([
          ['content-type', 'application/octet-stream'],
          ['x-tensor-type', 'float32'],
          ['x-tensor-dims', '2'],
        ])
        expect((reply.body as Uint8Array).buffer).toBe((scores.data as Float32Array).buffer)
        expect(reply.body).toHaveLength(8)
      }
    },
  )

  it('of texts is always sent as JSON', async () => {
    const texts = tensor('string', ['a'], [1])
    expect(await textOf(encode(texts, tensorOf('string', [1]), 'application/octet-stream'))).toBe(
      '{"type":"string","dims":[1],"data":["a"]}',
    )
  })

  it('that is a scalar has no dimensions in its header', () => {
    const reply = encode(tensor('bool', Uint8Array.of(1), []), undefined, 'application/octet-stream')
    expect(headerOf(reply, 'x-tensor-dims')).toBe('')
  })

  it('of another shape than the schema has is refused', async () => {
    expect(await issuesOf(() => encode(scores, tensorOf('float32', [3])))).toEqual([
      { path: '', message: 'Expected a float32 tensor of shape [3]' },
    ])
  })
})

describe('files and tensors within a value', () => {
  it('are sent in their JSON forms', async () => {
    const schema = Type.Object({ picture: file(), scores: tensorOf('float32', [2]) })
    expect(await textOf(encode({ picture, scores }, schema))).toBe(
      '{"picture":"data:image/png;base64,AQID","scores":{"type":"float32","dims":[2],"data":[1,"NaN"]}}',
    )
  })
})

describe('a response', () => {
  it('is sent as it is, whatever the output schema', async () => {
    const response = new Response('made', {
      status: 201,
      headers: { 'x-a': 'b', 'content-type': 'text/plain' },
    })
    const reply = encode(response, Type.Object({ count: Type.Integer() }))
    expect(reply.head.status).toBe(201)
    expect(headerOf(reply, 'x-a')).toBe('b')
    expect(headerOf(reply, 'content-type')).toBe('text/plain')
    expect(await textOf(reply)).toBe('made')
  })

  it('keeps each of its cookies', () => {
    const response = new Response(null)
    response.headers.append('set-cookie', 'a=1')
    response.headers.append('set-cookie', 'b=2')
    expect(encode(response).head.headers.filter(([name]) => name === 'set-cookie')).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
  })

  it('may have no body', async () => {
    const reply = encode(new Response(null, { status: 304 }))
    expect(reply.head.status).toBe(304)
    expect(await bytesOfBody(reply)).toHaveLength(0)
  })

  it('whose body was read before is an error, before a status is sent', async () => {
    const response = new Response('once')
    await response.text()
    expect(() => encode(response)).toThrow(TypeError)
  })
})

describe('a stream', () => {
  async function* items(...values: unknown[]): AsyncGenerator<unknown> {
    yield* values
  }

  it('is sent as lines of JSON', async () => {
    const reply = encode(items({ a: 'x\ny' }, null, 'b', undefined))
    expect(reply.head).toEqual({
      status: 200,
      headers: [
        ['content-type', 'application/x-ndjson'],
        ['cache-control', 'no-cache'],
      ],
    })
    expect(await textOf(reply)).toBe('{"a":"x\\ny"}\nnull\n"b"\nnull\n')
  })

  it('is sent as events to whoever asks for them', async () => {
    const reply = encode(items({ a: 'x\ny' }, 5), undefined, 'text/event-stream')
    expect(headerOf(reply, 'content-type')).toBe('text/event-stream')
    expect(await textOf(reply)).toBe('data: {"a":"x\\ny"}\n\ndata: 5\n\n')
  })

  it('is made while it is read, one item at a time', async () => {
    let made = 0
    async function* counting(): AsyncGenerator<number> {
      for (;;) {
        made += 1
        yield made
      }
    }
    const { body } = encode(counting())
    expect(made).toBe(0)
    const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    await iterator.next()
    expect(made).toBe(1)
    await iterator.return?.()
    expect(made).toBe(1)
  })

  it('ends its source when its reader has gone', async () => {
    let ended = false
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield 1
      } finally {
        ended = true
      }
    }
    for await (const _ of encode(endless()).body as AsyncIterable<Uint8Array>) break
    expect(ended).toBe(true)
  })

  it('has each item checked', async () => {
    const { body } = encode(items({ n: 1 }, { n: 'x' }), Type.Object({ n: Type.Integer() }))
    const chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    expect(new TextDecoder().decode((await chunks.next()).value)).toBe('{"n":1}\n')
    expect(await issuesOf(() => chunks.next())).toEqual([{ path: '/n', message: 'Expected integer' }])
  })

  it('has files and tensors in their JSON forms, at the top too', async () => {
    expect(await textOf(encode(items(picture), file()))).toBe('"data:image/png;base64,AQID"\n')
    expect(await textOf(encode(items(scores), tensorOf('float32', [2]), 'application/octet-stream'))).toBe(
      '{"type":"float32","dims":[2],"data":[1,"NaN"]}\n',
    )
    expect(await textOf(encode(items({ f: picture }), Type.Object({ f: file() })))).toBe(
      '{"f":"data:image/png;base64,AQID"}\n',
    )
    expect(await textOf(encode(items(scores)))).toContain('"dims":[2]')
  })

  it('that fails has last words, which hide what is not the caller’s to know', () => {
    const secret = new Error('password is hunter2')
    const words = (reply: Reply, error: unknown) => new TextDecoder().decode(reply.lastWords?.(error))
    expect(words(encode(items()), secret)).toMatch(/^\{"error":\{"code":"INTERNAL","message":"[^"]+"\}\}\n$/)
    expect(words(encode(items()), secret)).not.toContain('hunter2')
    const cut = new IsoplexError('REQUEST_MALFORMED', 'No more.')
    expect(words(encode(items(), undefined, 'text/event-stream'), cut)).toBe(
      'event: error\ndata: {"error":{"code":"REQUEST_MALFORMED","message":"No more."}}\n\n',
    )
  })

  it('alone has last words: nothing may be added to a body that is the function’s own', () => {
    expect(encode(new Response('a')).lastWords).toBeUndefined()
    expect(encode({ a: 1 }).lastWords).toBeUndefined()
  })
})

describe('isAsyncIterable', () => {
  it.each([
    [(async function* () {})(), true],
    [new ReadableStream(), true],
    [[1, 2], false],
    ['text', false],
    [null, false],
    [undefined, false],
  ])('of %s is %s', (value, is) => {
    expect(isAsyncIterable(value)).toBe(is)
  })
})
