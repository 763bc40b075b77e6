import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { defineFunction, defineInference, onnx } from '../../runtime/index.ts'
import type { Answer } from '../../runtime/replica/ticket.ts'
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

interface EndlessStream {
  readonly stream: ReadableStream<Uint8Array>
  /** How many pieces were made. */
  made(): number
  cancelled(): boolean
}

/** A stream that goes on until it is cancelled. */
function endless(): EndlessStream {
  let made = 0
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      made += 1
      controller.enqueue(new Uint8Array(10))
    },
    cancel() {
      cancelled = true
    },
  })
  return { stream, made: () => made, cancelled: () => cancelled }
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
  const replyTo = (answer: () => Answer, request = post()): Promise<Response> =>
    handlerOf(open, surround(answer))(request)

  it('has the headers of the function, but for those of the connection and the request id', async () => {
    const headers = [
      ['x-own', 'kept'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-length', '999'],
      ['connection', 'upgrade'],
      ['keep-alive', 'timeout=9'],
      ['transfer-encoding', 'gzip'],
      ['upgrade', 'h2c'],
      ['x-request-id', 'another'],
    ] as const
    const reply = await replyTo(answerWith('ok', 200, headers), post('[1]', { 'x-request-id': 'id-1' }))
    expect([...reply.headers].toSorted()).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-own', 'kept'],
      ['x-request-id', 'id-1'],
    ])
    expect(await reply.text()).toBe('ok')
  })

  it('closes the connection while the server stops, also where it is an error', async () => {
    for (const answer of [answerWith('ok'), () => Promise.reject(new IsoplexError('INTERNAL', 'Broken.'))]) {
      const reply = await handlerOf(open, surround(answer, { closing: () => true }))(post())
      expect(reply.headers.get('connection')).toBe('close')
    }
  })

  it('that streams has its connection held to its end, for the next request to use', async () => {
    const pieces = ['a', 'b'].map((text) => new TextEncoder().encode(text))
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift()
        if (piece) controller.enqueue(piece)
        else controller.close()
      },
    })
    const around = surround(answerWith(stream))
    const request = post()
    const reply = await handlerOf(open, around)(request)
    expect(reply.headers.has('connection')).toBe(false)
    expect([...around.held]).toEqual([request])
    expect(around.exchange.budget.usedBytes).toBe(0)
    expect(await reply.text()).toBe('ab')
    expect(around.held.size).toBe(0)
  })

  it('that streams is made no faster than it is read, and no longer', async () => {
    const { stream, made, cancelled } = endless()
    const reply = await handlerOf(open, surround(answerWith(stream)))(post())
    const reader = reply.body?.getReader()
    await reader?.read()
    await reader?.read()
    expect(made()).toBeLessThan(5)
    await reader?.cancel()
    expect(cancelled()).toBe(true)
  })

  it('that streams breaks off where its stream does, after what came before', async () => {
    let pulls = 0
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1
        if (pulls === 1) controller.enqueue(new Uint8Array([1]))
        else throw new Error('broken')
      },
    })
    const reply = await handlerOf(open, surround(answerWith(stream)))(post())
    const reader = reply.body?.getReader()
    expect(await reader?.read()).toEqual({ done: false, value: new Uint8Array([1]) })
    await expect(reader?.read()).rejects.toThrow('broken')
  })

  it.each([204, 205, 304])('with the status %i has no body, and who makes one is let go', async (status) => {
    const { stream, cancelled } = endless()
    const around = surround(answerWith(stream, status))
    const reply = await handlerOf(open, around)(post())
    expect(reply.status).toBe(status)
    expect(reply.body).toBeNull()
    expect(reply.headers.has('transfer-encoding')).toBe(false)
    expect(cancelled()).toBe(true)
    expect(around.held.size).toBe(0)
  })

  it('to HEAD has no body, says how one would have come, and lets go who makes one', async () => {
    const manifest = manifestOf('get.ts', defineFunction({ access: 'public', handler: () => null }))
    const { stream, cancelled } = endless()
    const around = surround(answerWith(stream))
    const reply = await handlerOf(manifest, around)(new Request('http://localhost/get', { method: 'HEAD' }))
    expect(reply.body).toBeNull()
    expect(reply.headers.get('transfer-encoding')).toBe('chunked')
    expect(cancelled()).toBe(true)
    expect(around.held.size).toBe(0)
  })

  it.each([0, 101])('cannot have the status %i', async (status) => {
    const { stream, cancelled } = endless()
    const around = surround(answerWith(stream, status))
    expect((await handlerOf(open, around)(post())).status).toBe(500)
    expect(cancelled()).toBe(true)
    expect(around.held.size).toBe(0)
    expect(String(around.log[0]?.fields?.error)).toContain(`status ${status}`)
  })
})
