import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAsk, isControlled } from '../../runtime/control/ask.ts'

let server: ReturnType<typeof Bun.serve>
let seen: Request[]
beforeEach(() => {
  seen = []
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      seen.push(request.clone())
      const { pathname } = new URL(request.url)
      if (pathname === '/away') return Response.redirect('http://127.0.0.1:1/', 302)
      if (pathname === '/strange') return new Response('<html>', { status: 502 })
      if (pathname === '/no') {
        const problem = { code: 'DEPLOYMENT_NOT_FOUND', detail: 'There is none.', deployment: 'a' }
        return Response.json(problem, { status: 404 })
      }
      return Response.json({ body: await request.text() })
    },
  })
})
afterEach(() => server.stop(true))

const open = (accessToken: string | null = null) => createAsk({ url: server.url.href, accessToken })

describe('asking a server', () => {
  it('sends JSON and the access token', async () => {
    const reply = await open('secret')('/-/x', { method: 'PUT', json: { a: 1 } })
    expect(await reply.json()).toEqual({ body: '{"a":1}' })
    const [request] = seen
    expect(request?.method).toBe('PUT')
    expect(new URL(request?.url ?? '').pathname).toBe('/-/x')
    expect(request?.headers.get('authorization')).toBe('Bearer secret')
    expect(request?.headers.get('content-type')).toBe('application/json')
  })

  it('throws what the server refuses with', async () => {
    await expect(open()('/no')).rejects.toMatchObject({
      code: 'DEPLOYMENT_NOT_FOUND',
      message: 'There is none.',
      details: { deployment: 'a' },
    })
  })

  it('does not take for a server what is none, and takes no token elsewhere', async () => {
    await expect(open()('/strange')).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { status: 502 } })
    await expect(open('secret')('/away')).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    expect(seen).toHaveLength(2)
  })

  it('says where nobody answers', async () => {
    const url = server.url.href
    await server.stop(true)
    const asking = createAsk({ url, accessToken: 'secret' })('/')
    await expect(asking).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'connection' } })
    await expect(asking).rejects.not.toThrow(/secret/)
    expect(await isControlled('/nowhere.sock')).toBe(false)
  })
})
