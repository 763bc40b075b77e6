import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { defineFunction, defineInference, onnx } from '../../runtime/index.ts'
import { createExchange } from '../../runtime/server/exchange.ts'
import { answerWith, deploymentOf, manifestOf, type Surroundings, surround } from './served.ts'

const input = Type.Unknown()
const open = manifestOf('open.ts', defineFunction({ access: 'public', input, handler: () => null }))
const inference = manifestOf(
  'infer.ts',
  defineInference({ access: 'public', input, model: onnx({ default: 'bird' }), infer: () => null }),
)

function handlerOf(
  manifest: FunctionManifest,
  { exchange }: Surroundings,
): (request: Request) => Promise<Response> {
  return createExchange({ manifest, deployment: deploymentOf(manifest) }, exchange)
}

function post(
  body: BodyInit | null = '[1]',
  headers: Readonly<Record<string, string>> = {},
  path = '/open',
): Request {
  const content = { 'content-type': 'application/json', ...headers }
  return new Request(`http://localhost${path}`, { method: 'POST', body, headers: content })
}

describe('what a function gets', () => {
  it('is the request with its body, and no header that is not its business', async () => {
    const around = surround()
    const request = post(
      '{"a":1}',
      {
        accept: 'text/plain',
        'x-own': 'kept',
        'x-request-id': 'id-1',
        authorization: 'Basic secret',
        cookie: 'secret',
        'synapse-access-token': 'Token secret',
        'proxy-authorization': 'secret',
        connection: 'keep-alive',
        te: 'trailers',
        upgrade: 'h2c',
      },
      '/open?q=1',
    )
    await handlerOf(open, around)(request)
    expect(around.works).toHaveLength(1)
    const [work] = around.works
    expect(work).toMatchObject({
      model: null,
      head: {
        requestId: 'id-1',
        principal: 'anonymous',
        method: 'POST',
        url: '/open?q=1',
        params: {},
        contentType: 'application/json',
        accept: 'text/plain',
      },
    })
    expect(Object.fromEntries(work?.head.headers ?? [])).toEqual({
      accept: 'text/plain',
      'content-type': 'application/json',
      'x-own': 'kept',
      'x-request-id': 'id-1',
    })
    expect(new TextDecoder().decode(work?.body)).toBe('{"a":1}')
    expect(work?.signal).toBe(request.signal)
  })

  it('is a model and no headers where it infers', async () => {
    const around = surround()
    await handlerOf(inference, around)(post())
    expect(around.works).toMatchObject([{ model: { key: 'embedded//bird@1' }, head: { headers: [] } }])
  })

  it.each([
    ['hello/[name].ts', '', '/hello/ad%20a', { name: 'ad a' }],
    ['hello/[name].ts', '/v1', '/v1/hello/ada?name=eve', { name: 'ada' }],
    ['hello/[name].ts', '', '/hello/%2e%2e%2fetc', { name: '../etc' }],
    ['files/[...rest].ts', '/v1', '/v1/files/a/b%2fc/', { rest: 'a/b/c/' }],
    ['files/[...rest].ts', '', '/files/', { rest: '' }],
    ['[a]/[b].ts', '', '/x/y/', { a: 'x', b: 'y' }],
  ])('are the parameters of its path: %s under "%s" at %s', async (file, routePrefix, path, params) => {
    const around = surround(undefined, { routePrefix })
    const manifest = manifestOf(file, defineFunction({ access: 'public', handler: () => null }))
    await handlerOf(manifest, around)(new Request(`http://localhost${path}`))
    expect({ ...around.works[0]?.head.params }).toEqual(params)
  })

  it('is nothing where a parameter is no UTF-8', async () => {
    const around = surround()
    const manifest = manifestOf('[name].ts', defineFunction({ access: 'public', handler: () => null }))
    const reply = await handlerOf(manifest, around)(new Request('http://localhost/%E0%A4%A'))
    expect(reply.status).toBe(400)
    expect(around.works).toEqual([])
  })
})

describe('a request', () => {
  it.each([
    ['its token', { serve_multiplexed_model_id: 'a' }, 500],
    ['its media type', { 'content-type': 'text/plain' }, 415],
    ['the coding of its body', { 'content-encoding': 'GZIP' }, 415],
    ['its length', { 'content-length': '100001' }, 413],
  ])('is refused for %s before its body is read', async (_, headers, status) => {
    const around = surround()
    const request = post('[1]', headers)
    expect((await handlerOf(open, around)(request)).status).toBe(status)
    expect(request.bodyUsed).toBe(false)
    expect(around.works).toEqual([])
  })

  it.each([undefined, 'application/json', 'Application/JSON;charset=utf-8', 'application/ld+json'])(
    'is taken with the media type %s',
    async (type) => {
      const request = post()
      if (type === undefined) request.headers.delete('content-type')
      else request.headers.set('content-type', type)
      expect((await handlerOf(open, surround())(request)).status).toBe(200)
    },
  )

  it("is held to the function's own limit of bodies, be it smaller or larger", async () => {
    for (const [maxBodyBytes, length, status] of [
      [10, 11, 413],
      [10, 10, 200],
      [200_000, 150_000, 200],
    ] as const) {
      const around = surround()
      const reply = await handlerOf(
        { ...open, maxBodyBytes },
        around,
      )(post('x'.repeat(length), { 'content-length': `${length}` }))
      expect(reply.status).toBe(status)
    }
  })

  it('has its connection held, and its bytes counted, while it is answered and no longer', async () => {
    const request = post('12345')
    const around = surround(() => {
      expect([...around.held]).toEqual([request])
      expect(around.exchange.budget.usedBytes).toBe(5)
      throw new Error('broken')
    })
    await handlerOf(open, around)(request)
    expect(around.works).toHaveLength(1)
    expect(around.held.size).toBe(0)
    expect(around.exchange.budget.usedBytes).toBe(0)
  })
})

describe('an error', () => {
  it('of ours gets its own status, and is not logged a second time', async () => {
    const around = surround(() => {
      throw new IsoplexError('DEADLINE_EXCEEDED', 'Too late.')
    })
    const reply = await handlerOf(open, around)(post('[1]', { 'x-request-id': 'id-1' }))
    expect(reply.status).toBe(504)
    expect(await reply.json()).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      instance: 'urn:isoplex:request:id-1',
    })
    expect(around.log).toEqual([])
  })

  it('of another kind is hidden, and logged under the request id', async () => {
    const error = new Error('secret')
    const around = surround(() => {
      throw error
    })
    const reply = await handlerOf(open, around)(post('[1]', { 'x-request-id': 'id-1' }))
    expect(reply.status).toBe(500)
    expect(await reply.text()).not.toContain('secret')
    expect(around.log).toEqual([
      { level: 'error', message: 'A request failed', fields: { requestId: 'id-1', function: 'open', error } },
    ])
  })

  it.each([
    [{ 'content-length': '100001' }, 'close'],
    [{ 'transfer-encoding': 'chunked' }, 'close'],
    [{ 'content-length': '100000' }, null],
  ])('closes the connection where a body over the limit may follow: %j', async (headers, connection) => {
    const reply = await handlerOf(open, surround())(post('[1]', { ...headers, 'content-type': 'text/plain' }))
    expect(reply.status).toBe(415)
    expect(reply.headers.get('connection')).toBe(connection)
  })

  it('leaves the connection open once the body was read', async () => {
    const around = surround(() => {
      throw new IsoplexError('INTERNAL', 'Broken.')
    })
    const reply = await handlerOf(open, around)(post('[1]', { 'transfer-encoding': 'chunked' }))
    expect(reply.status).toBe(500)
    expect(reply.headers.has('connection')).toBe(false)
  })
})

describe('a reply', () => {
  it('closes the connection while the server stops, also where it is an error', async () => {
    for (const answer of [answerWith('ok'), () => Promise.reject(new IsoplexError('INTERNAL', 'Broken.'))]) {
      const reply = await handlerOf(open, surround(answer, { closing: () => true }))(post())
      expect(reply.headers.get('connection')).toBe('close')
    }
  })

  it('that streams has its connection held to its end, but counts no bytes any more', async () => {
    const stream = new Blob(['streamed']).stream()
    const around = surround(answerWith(stream))
    const request = post('[1]', { 'x-request-id': 'id-1' })
    const reply = await handlerOf(open, around)(request)
    expect(reply.headers.get('x-request-id')).toBe('id-1')
    expect([...around.held]).toEqual([request])
    expect(around.exchange.budget.usedBytes).toBe(0)
    expect(await reply.text()).toBe('streamed')
    expect(around.held.size).toBe(0)
  })

  it('that no server may send gets 500, and holds no connection', async () => {
    const around = surround(answerWith('', 101))
    expect((await handlerOf(open, around)(post())).status).toBe(500)
    expect(around.held.size).toBe(0)
    expect(String(around.log[0]?.fields?.error)).toContain('status 101')
  })
})
