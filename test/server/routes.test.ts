import { Elysia } from 'elysia'
import { describe, expect, it } from 'vitest'
import { problemReply } from '../../runtime/server/reply.ts'
import { Routes } from '../../runtime/server/routes.ts'

/** Three paths that fit one another, each in the way of the next, and one at which there is nothing. */
function open(): (method: string, path: string) => Promise<Response> {
  const app = new Elysia()
  const refuse = (_: Request, error: unknown) => problemReply(error, 'id-1', false)
  const routes = new Routes(app, refuse, ['GET', 'POST', 'DELETE'])
  const answer = (text: string) => () => new Response(text)
  routes.add('/*', ['GET', 'DELETE'], answer('everything'))
  routes.add('/a/:name', ['POST'], answer('one'))
  routes.add('/a/fixed', ['GET'], answer('fixed'))
  routes.addNothing('/-/*')
  return async (method, path) => await app.fetch(new Request(`http://localhost${path}`, { method }))
}

describe('Routes', () => {
  it.each([
    ['GET', '/a/fixed', 'fixed'],
    ['GET', '/a/fixed/', 'fixed'],
    ['POST', '/a/other', 'one'],
    ['GET', '/b', 'everything'],
    ['DELETE', '/a/fixed/more', 'everything'],
  ])('lets the best path answer: %s %s', async (method, path, text) => {
    expect(await (await open()(method, path)).text()).toBe(text)
  })

  it.each([
    ['POST', '/a/fixed', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/a/fixed', 'GET, HEAD, OPTIONS'],
    ['GET', '/a/other', 'POST, OPTIONS'],
    ['HEAD', '/a/other', 'POST, OPTIONS'],
    ['DELETE', '/a/other', 'POST, OPTIONS'],
    ['POST', '/b', 'GET, DELETE, HEAD, OPTIONS'],
    ['PATCH', '/b', 'GET, DELETE, HEAD, OPTIONS'],
    ['PROPFIND', '/a/fixed', 'GET, HEAD, OPTIONS'],
  ])(
    'refuses what the best path does not take, though another one would: %s %s',
    async (method, path, allow) => {
      const reply = await open()(method, path)
      expect(reply.status).toBe(405)
      expect(reply.headers.get('allow')).toBe(allow)
      if (method !== 'HEAD') expect(await reply.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
    },
  )

  it.each([
    ['/a/fixed', 'GET, HEAD, OPTIONS'],
    ['/a/other', 'POST, OPTIONS'],
    ['/b', 'GET, DELETE, HEAD, OPTIONS'],
  ])('tells OPTIONS what %s takes', async (path, allow) => {
    const reply = await open()('OPTIONS', path)
    expect(reply.status).toBe(204)
    expect(reply.headers.get('allow')).toBe(allow)
  })

  it.each(['GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'OPTIONS'])(
    'keeps %s from what is behind a path with nothing',
    async (method) => {
      const reply = await open()(method, '/-/anything')
      expect(reply.status).toBe(404)
    },
  )

  it('answers HEAD as GET', async () => {
    expect((await open()('HEAD', '/a/fixed')).status).toBe(200)
  })
})
