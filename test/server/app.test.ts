import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { defineFunction, defineInference, onnx } from '../../runtime/index.ts'
import type { Readiness } from '../../runtime/server/app.ts'
import { pagePolicy } from '../../runtime/server/page.ts'
import { manifestOf } from './served.ts'
import { serve } from './served-app.ts'

const access = 'public'
const handler = (): unknown => null
const index = manifestOf('index.ts', defineFunction({ access, handler }))
const post = manifestOf('post.ts', defineFunction({ access, input: Type.Unknown(), handler }))
const hello = manifestOf('hello/[name].ts', defineFunction({ access, method: ['GET', 'DELETE'], handler }))
const everything = manifestOf('[...rest].ts', defineFunction({ access, handler }))
const inference = (file: string): FunctionManifest =>
  manifestOf(
    file,
    defineInference({ access, input: Type.Unknown(), model: onnx({ default: 'a' }), infer: handler }),
  )

describe('a route', () => {
  it.each([
    ['/hello/ada', 'hello/[name]'],
    ['/hello/ada/', 'hello/[name]'],
    ['/hello/ada?x=/', 'hello/[name]'],
    ['/', 'index'],
    ['/other', '[...rest]'],
    ['/hello/ada/more', '[...rest]'],
    ['/hello/ada//', '[...rest]'],
    ['/Hello', '[...rest]'],
  ])('answers at %s: %s', async (path, name) => {
    const reply = await serve([index, hello, everything]).call(path)
    expect(await reply.text()).toBe(name)
  })

  it.each(['/nowhere', '/post/more', '/post//', '//post', '/hello', '/hello/a/b', '/%70ost'])(
    'that is none gets 404: %s',
    async (path) => {
      const reply = await serve([post, hello]).call(path, { method: 'POST' })
      expect(reply.status).toBe(404)
      expect(reply.headers.get('content-type')).toBe('application/problem+json')
      expect(await reply.json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
    },
  )
})

describe('a method', () => {
  it.each([
    ['GET', '/post', 'POST, OPTIONS'],
    ['HEAD', '/post/', 'POST, OPTIONS'],
    ['POST', '/hello/ada', 'GET, DELETE, HEAD, OPTIONS'],
    ['POST', '/-/docs', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/readyz', 'GET, HEAD, OPTIONS'],
  ])('%s that %s does not take gets 405', async (method, path, allow) => {
    const { call, works } = serve([post, hello, everything])
    const reply = await call(path, { method })
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe(allow)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(works).toEqual([])
  })

  it('HEAD is answered where GET is', async () => {
    const { call, works } = serve([hello])
    expect((await call('/hello/ada', { method: 'HEAD' })).status).toBe(200)
    expect(works).toMatchObject([{ head: { method: 'HEAD', params: { name: 'ada' } } }])
    for (const path of ['/healthz', '/readyz', '/-/routes', '/-/docs', '/-/openapi.json']) {
      expect((await call(path, { method: 'HEAD' })).status).toBe(200)
    }
  })
})

describe('the prefix itself', () => {
  const identity = { appName: 'my_plugin@1.0.0', routePrefix: '/7dbcdb4cdcff0833accce5cec9a375d1' }
  const { routePrefix } = identity

  it.each(['', '/', '/?a=b'])(
    'is answered by the only inference function, as a Synapse client calls it: "%s"',
    async (end) => {
      const { call, works } = serve([post, inference('digits.ts')], { identity })
      const reply = await call(routePrefix + end, { method: 'POST', body: '{}' })
      expect(await reply.text()).toBe('digits')
      expect(works[0]?.head.url).toBe(routePrefix + end)
    },
  )

  it.each(['', '/'])('is answered by the index before any inference function: "%s"', async (end) => {
    const reply = await serve([inference('digits.ts'), index], { identity }).call(routePrefix + end)
    expect(await reply.text()).toBe('index')
  })

  it.each(['', '/'])(
    'is answered by the function that is named for it, whatever else there is: "%s"',
    async (end) => {
      const functions = [index, inference('a.ts'), inference('b.ts')]
      const { call } = serve(functions, { identity, entrypoint: 'b' })
      expect(await (await call(routePrefix + end, { method: 'POST', body: '{}' })).text()).toBe('b')
      expect(await (await call(`${routePrefix}/b`, { method: 'POST', body: '{}' })).text()).toBe('b')
      const alone = serve(functions, { entrypoint: 'b' })
      expect(await (await alone.call('/', { method: 'POST', body: '{}' })).text()).toBe('b')
      const astray = serve(functions, { identity, entrypoint: 'c' })
      expect((await astray.call(routePrefix + end)).status).toBe(404)
    },
  )

  it.each([
    ['of two inference functions', [inference('a.ts'), inference('b.ts')]],
    ['without an inference function', [post]],
  ])('is answered by none %s', async (_, functions) => {
    const { call } = serve(functions, { identity })
    for (const end of ['', '/']) expect((await call(routePrefix + end, { method: 'POST' })).status).toBe(404)
  })

  it('is the root where there is none', async () => {
    const reply = await serve([inference('digits.ts')]).call('/', { method: 'POST', body: '{}' })
    expect(await reply.text()).toBe('digits')
  })

  it.each([`${routePrefix}//`, `${routePrefix}x`, routePrefix.toUpperCase(), '/', '/digits'])(
    'is nowhere else: %s',
    async (path) => {
      const { call } = serve([inference('digits.ts')], { identity })
      expect((await call(path, { method: 'POST', body: '{}' })).status).toBe(404)
    },
  )

  it('is in front of every function, and of no path of the server', async () => {
    const { call, works } = serve([hello, post], { identity })
    expect((await call(`${routePrefix}/hello/ada`)).status).toBe(200)
    expect(works[0]?.head.params).toMatchObject({ name: 'ada' })
    expect((await call('/healthz')).status).toBe(200)
    expect((await call(`${routePrefix}/healthz`)).status).toBe(404)
  })
})

describe('the paths of the server', () => {
  it.each(['/healthz', '/readyz', '/-/routes', '/-/openapi.json', '/-/docs', '/healthz/'])(
    'are not taken by a function that takes all: %s',
    async (path) => {
      const { call, works } = serve([index, everything])
      expect((await call(path)).status).toBe(200)
      expect(works).toEqual([])
    },
  )

  it.each(['/-', '/-/', '/-/nowhere', '/-/docs/more', '/metrics'])(
    'that nothing answers are not either: %s',
    async (path) => {
      const { call, works } = serve([index, everything])
      for (const method of ['GET', 'POST']) {
        const reply = await call(path, { method })
        expect(await reply.json()).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' })
      }
      expect(works).toEqual([])
    },
  )

  it('tell whether the server is ready', async () => {
    let readiness: Readiness = { ready: false, replicas: 0 }
    const { call } = serve([], { readiness: () => readiness })
    const before = await call('/readyz')
    expect(before.status).toBe(503)
    expect(await before.json()).toEqual({ ready: false, replicas: 0 })
    readiness = { ready: true }
    expect((await call('/readyz')).status).toBe(200)
    expect(await (await call('/healthz')).text()).toBe('ok\n')
  })

  it('show routes, document and page of the app', async () => {
    const { call } = serve([hello])
    expect(await (await call('/-/routes')).json()).toMatchObject({
      app: 'app@1.0.0',
      routes: [{ path: '/hello/{name}' }],
    })
    expect(await (await call('/-/openapi.json')).json()).toMatchObject({ paths: { '/hello/{name}': {} } })
    const page = await call('/-/docs')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toBe(pagePolicy)
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(await page.text()).toContain('http://localhost:3000/hello/{name}')
  })

  it('that fail are answered with 500, and logged', async () => {
    const error = new Error('secret')
    const { call, log } = serve([], {
      readiness: () => {
        throw error
      },
    })
    const reply = await call('/readyz', { headers: { 'x-request-id': 'id-1' } })
    expect(reply.status).toBe(500)
    expect(reply.headers.get('x-request-id')).toBe('id-1')
    expect(await reply.text()).not.toContain('secret')
    expect(log).toEqual([
      { level: 'error', message: 'A request failed', fields: { requestId: 'id-1', error } },
    ])
  })
})

describe('a page of another origin', () => {
  const corsOrigins = ['https://app.example']
  const from = (origin: string, more: Readonly<Record<string, string>> = {}) => ({
    headers: { origin, ...more },
  })

  it('may read replies where its origin is listed, errors too', async () => {
    const { call } = serve([hello], { corsOrigins })
    for (const path of ['/hello/ada', '/nowhere', '/healthz']) {
      const { headers } = await call(path, from('https://app.example'))
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
      for (const name of ['x-request-id', 'location', 'preference-applied', 'idempotency-replayed']) {
        expect(headers.get('access-control-expose-headers')).toContain(name)
      }
      expect(headers.get('vary')).toBe('Origin')
      expect(headers.has('access-control-allow-credentials')).toBe(false)
    }
  })

  it.each([
    'https://evil.example',
    'http://app.example',
    'https://app.example.evil.example',
    'https://app.example:8443',
    'app.example',
    'null',
  ])('may not where it is not: %s', async (origin) => {
    const { call } = serve([hello], { corsOrigins })
    expect((await call('/hello/ada', from(origin))).headers.has('access-control-allow-origin')).toBe(false)
    const preflight = await call('/hello/ada', {
      method: 'OPTIONS',
      ...from(origin, { 'access-control-request-method': 'DELETE' }),
    })
    expect(preflight.headers.has('access-control-allow-origin')).toBe(false)
  })

  it('may ask beforehand', async () => {
    const { call, works } = serve([post], { corsOrigins })
    const asking = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,serve_multiplexed_model_id',
    }
    const { status, headers } = await call('/post', {
      method: 'OPTIONS',
      ...from('https://app.example', asking),
    })
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(headers.get('access-control-allow-methods')).toContain('POST')
    expect(headers.get('access-control-allow-headers')).toContain('serve_multiplexed_model_id')
    expect(headers.get('access-control-max-age')).toBe('600')
    expect(works).toEqual([])
  })

  it('may read replies wherever it is from, without credentials, where all are listed', async () => {
    const { headers } = await serve([hello], { corsOrigins: ['*'] }).call(
      '/hello/ada',
      from('https://any.example'),
    )
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(headers.has('access-control-allow-credentials')).toBe(false)
  })

  it('may read nothing where no origin is listed', async () => {
    const { call } = serve([hello])
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await call('/hello/ada', { method, ...from('https://app.example') })
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})
