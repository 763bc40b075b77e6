import { describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { inferRemote, type RemoteInference } from '../../runtime/deploy/infer-remote.ts'

interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: string
}

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const seen: Seen[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { method, url, headers } = request
      seen.push({ method, path: new URL(url).pathname, headers, body: await request.text() })
      return await answer(request)
    },
  })
  const address = `http://127.0.0.1:${server.port}`
  return { seen, address, [Symbol.dispose]: () => void server.stop(true) }
}

const usual: Omit<RemoteInference, 'address'> = {
  routePrefix: '/7dbcdb4c',
  params: {},
  backendUrl: 'https://api.example',
  accessToken: 'very-secret',
  tenant: null,
}
const ok = () => Response.json({ y: 1 })

describe('a call', () => {
  it('is a POST of `json` to the prefix with a slash, as the SDK sends it', async () => {
    using server = serve(ok)
    const call = { ...usual, address: server.address, params: { json: { x: 'é' } } }
    expect(await inferRemote(call)).toEqual({ y: 1 })
    expect(server.seen).toMatchObject([{ method: 'POST', path: '/7dbcdb4c/', body: '{"x":"é"}' }])
    const { headers } = server.seen[0] ?? {}
    expect(headers?.get('content-type')).toBe('application/json')
    expect(headers?.has('serve_multiplexed_model_id')).toBe(false)
    expect(headers?.has('authorization')).toBe(false)
  })

  it.each([34, '34'])('for the model %j carries its token, with the tenant', async (model) => {
    using server = serve(ok)
    await inferRemote({ ...usual, address: server.address, tenant: 'acme', params: { model } })
    const token = await createServeMultiplexedModelId({
      modelId: 34,
      token: 'very-secret',
      backendUrl: 'https://api.example',
      tenant: 'acme',
    })
    expect(server.seen[0]?.headers.get('serve_multiplexed_model_id')).toBe(token)
    expect(server.seen[0]?.body).toBe('{}')
  })

  it('by GET has no body, which servers pass over', async () => {
    using server = serve(ok)
    await inferRemote({ ...usual, address: server.address, params: { method: 'get', json: { a: 1 } } })
    expect(server.seen).toMatchObject([{ method: 'GET', body: '' }])
  })

  it.each(['PUT', 'patch', 'delete'])('may have the method %s', async (method) => {
    using server = serve(ok)
    await inferRemote({ ...usual, address: `${server.address}/`, params: { method, json: { a: 1 } } })
    expect(server.seen).toMatchObject([{ method: method.toUpperCase(), path: '/7dbcdb4c/', body: '{"a":1}' }])
  })

  it('goes to a path below the prefix where one is given', async () => {
    using server = serve(ok)
    await inferRemote({ ...usual, routePrefix: '', path: '/digits', address: server.address })
    expect(server.seen[0]?.path).toBe('/digits')
  })
})

it.each([[null], [[1]], ['text'], [{ a: null }]])(
  'gives whatever JSON the server answers: %j',
  async (json) => {
    using server = serve(() => Response.json(json))
    expect(await inferRemote({ ...usual, address: server.address })).toEqual(json)
  },
)

it('gives nothing for an empty success', async () => {
  using server = serve(() => new Response(null, { status: 204 }))
  expect(await inferRemote({ ...usual, address: server.address })).toBeNull()
})

describe('it fails', () => {
  it('with the code of the status and the text of the server', async () => {
    using server = serve(() => new Response('Internal Server Error', { status: 500 }))
    await expect(inferRemote({ ...usual, address: server.address })).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      message: 'The server answers 500: Internal Server Error',
    })
  })

  it('where the server answers what is no JSON', async () => {
    using server = serve(() => new Response('<html>'))
    await expect(inferRemote({ ...usual, address: server.address })).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'content' },
    })
  })

  it('where the server sends it elsewhere, and tells no other place the token', async () => {
    using other = serve(ok)
    using server = serve(() => new Response(null, { status: 307, headers: { location: other.address } }))
    await expect(
      inferRemote({ ...usual, address: server.address, params: { model: 1 } }),
    ).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    expect(other.seen).toEqual([])
  })

  it('in time where the server never answers', async () => {
    using server = serve(() => new Promise<Response>(() => undefined))
    await expect(inferRemote({ ...usual, address: server.address, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'timeout' },
    })
  })

  it('by its signal', async () => {
    const ending = new AbortController()
    using server = serve(() => {
      ending.abort(new Error('enough'))
      return new Promise<Response>(() => undefined)
    })
    const { signal } = ending
    await expect(inferRemote({ ...usual, address: server.address, signal })).rejects.toThrow('enough')
  })

  it('where nobody listens', async () => {
    const server = serve(ok)
    server[Symbol.dispose]()
    await expect(inferRemote({ ...usual, address: server.address })).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'connection' },
    })
  })

  it.each([
    [{ params: { method: 'GET /' } }, 'CONFIG_INVALID'],
    [{ params: { method: null } }, 'CONFIG_INVALID'],
    [{ params: { model: {} } }, 'CONFIG_INVALID'],
    [{ params: { model: '' } }, 'CONFIG_INVALID'],
    [{ params: { model: 1.5 } }, 'CONFIG_INVALID'],
    [{ params: { model: 1 }, backendUrl: null }, 'CONFIG_INVALID'],
    [{ address: 'localhost' }, 'URL_REFUSED'],
    [{ address: 'file:///etc' }, 'URL_REFUSED'],
    [{ address: 'http://a:b@127.0.0.1' }, 'URL_REFUSED'],
  ])('before anything is sent with %j', async (change, code) => {
    using server = serve(ok)
    await expect(inferRemote({ ...usual, address: server.address, ...change })).rejects.toMatchObject({
      code,
    })
    expect(server.seen).toEqual([])
  })
})
