import { Elysia } from 'elysia'
import { beforeEach, describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { refusalReply } from '../../runtime/server/reply.ts'
import { Routes } from '../../runtime/server/routes.ts'
import { addSystemRoute, type SystemHandler } from '../../runtime/server/system-route.ts'
import { type Surroundings, surround } from './served.ts'

let around: Surroundings
beforeEach(() => {
  around = surround()
})

/** Sends a request to an app whose one path is answered so. */
async function send(handler: SystemHandler, path: string, init?: RequestInit): Promise<Response> {
  const app = new Elysia()
  const routes = new Routes(app, (request, error) => refusalReply(error, request, 0), ['GET', 'POST'])
  addSystemRoute(
    routes,
    { path: '/-/things/:id/parts/:part', handlers: { GET: handler, POST: handler } },
    around.exchange,
  )
  return await app.fetch(new Request(`http://localhost:3000${path}`, init))
}

const echo: SystemHandler = async ({ parameters, request }) => Response.json([request.method, ...parameters])

describe('a route of the server', () => {
  it.each([
    ['/-/things/1/parts/2', ['GET', '1', '2']],
    ['/-/things/1/parts/2/', ['GET', '1', '2']],
    ['/-/things/a%2fb/parts/%C3%A9?x=/y#z', ['GET', 'a/b', 'é']],
    ['/-/things/..%2f..%2fx/parts/a@b:c', ['GET', '../../x', 'a@b:c']],
  ])('is given what stands in %s', async (path, parameters) => {
    expect(await (await send(echo, path)).json()).toEqual(parameters)
  })

  it('answers HEAD as GET, and names the request', async () => {
    const reply = await send(echo, '/-/things/1/parts/2', {
      method: 'HEAD',
      headers: { 'x-request-id': 'mine' },
    })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('x-request-id')).toBe('mine')
  })

  it('makes problems of errors, and logs those that are not ours, without the query', async () => {
    const refused = await send(
      () => Promise.reject(new IsoplexError('STORAGE_FULL', 'full')),
      '/-/things/1/parts/2?grant=secret',
    )
    expect(await refused.json()).toMatchObject({ status: 503, code: 'STORAGE_FULL' })
    expect(around.log).toEqual([])
    const failed = await send(() => Promise.reject(new Error('why')), '/-/things/1/parts/2?grant=secret')
    expect(await failed.json()).toMatchObject({ status: 500, code: 'INTERNAL' })
    expect(around.log).toMatchObject([{ level: 'error', fields: { path: '/-/things/:id/parts/:part' } }])
    expect(JSON.stringify(around.log)).not.toContain('secret')
  })

  it('closes the connection after a large body that nobody has read', async () => {
    const send_ = (length: number) =>
      send(echo, '/-/things/1/parts/2', {
        method: 'POST',
        body: 'x',
        headers: { 'content-length': String(length) },
      })
    expect((await send_(1)).headers.get('connection')).toBeNull()
    expect((await send_(1_000_000)).headers.get('connection')).toBe('close')
  })

  it('holds the connection while it works, and no longer', async () => {
    let held = 0
    await send(async () => {
      held = around.held.size
      return new Response()
    }, '/-/things/1/parts/2')
    expect([held, around.held.size]).toEqual([1, 0])
  })
})
