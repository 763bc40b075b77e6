import { afterEach, describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { App } from '../../runtime/server/app.ts'
import { HttpServer, type ServerOptions } from '../../runtime/server/server.ts'
import { exchange, TcpClient } from '../support/tcp-client.ts'

const servers: HttpServer[] = []

function listen(options: Partial<ServerOptions> = {}): HttpServer {
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    maxHeaderBytes: 131_072,
    guard: () => null,
    ...options,
  })
  servers.push(server)
  server.listen()
  return server
}

function appOf(answer: (request: Request) => Response | Promise<Response>): App {
  return { fetch: answer }
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(0, 0)))
})

describe('a server', () => {
  it('takes a free port, and no port that another one has', () => {
    const first = listen()
    expect(first.url.href).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+\/$/)
    expect(() => listen({ port: Number(first.url.port) })).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE' }),
    )
  })

  it('has no address before it listens, and can be stopped then', async () => {
    const server = new HttpServer({ host: '127.0.0.1', port: 0, maxHeaderBytes: 131_072, guard: () => null })
    expect(() => server.url).toThrow(TypeError)
    await server.stop(0, 0)
  })

  it('lets who calls before the first app wait for it', async () => {
    const server = listen()
    const early = fetch(server.url)
    server.use(appOf(() => new Response('first')))
    expect(await (await early).text()).toBe('first')
  })

  it('finishes with the old app what it has begun, and begins with the new one', async () => {
    const server = listen()
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    server.use(
      appOf(async () => {
        begun.resolve()
        await go.promise
        return new Response('old')
      }),
    )
    const early = fetch(server.url)
    await begun.promise
    server.use(appOf(() => new Response('new')))
    expect(await (await fetch(server.url)).text()).toBe('new')
    go.resolve()
    expect(await (await early).text()).toBe('old')
  })

  it('answers whom the guard refuses without asking the app', async () => {
    const server = listen({ guard: () => new IsoplexError('ORIGIN_REFUSED', 'No.') })
    server.use(appOf(() => new Response('reached')))
    const reply = await fetch(server.url, { method: 'POST', body: 'x' })
    expect(reply.status).toBe(403)
    expect(reply.headers.get('connection')).toBe('close')
    expect(await reply.json()).toMatchObject({ code: 'ORIGIN_REFUSED' })
  })
})

describe('a request', () => {
  const seen = appOf(async (request) => Response.json({ url: request.url, body: await request.text() }))

  it.each(['a', 'ab', 'abc', 'x:1', 'localhost', '[::1]'])(
    'for the host %s reaches the app with path and body',
    async (host) => {
      const server = listen()
      server.use(seen)
      const reply = await exchange(
        server.url.href,
        `POST /p/q?r=/s HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n\r\nhi`,
      )
      const { pathname, search } = new URL(reply.json.url)
      expect([pathname, search, reply.json.body]).toEqual(['/p/q', '?r=/s', 'hi'])
      // Elysia takes what follows the 11th character for the path.
      expect(reply.json.url.indexOf('/', 7)).toBeGreaterThanOrEqual(11)
    },
  )

  it.each(['/', '/path/that/is/longer', '//elsewhere/path'])(
    'of HTTP/1.0 needs no host: %s',
    async (path) => {
      const server = listen()
      server.use(seen)
      const reply = await exchange(server.url.href, `GET ${path} HTTP/1.0\r\n\r\n`)
      expect(reply.json.url).toBe(`http://localhost${path}`)
    },
  )

  it.each(['', 'a b', 'a/b', 'a?b', 'a#b', 'a\\b', '[::1', 'a:99999', 'a,b', '%2f'])(
    'for %j, which is no host, gets 400 and no further',
    async (host) => {
      const server = listen()
      server.use(appOf(() => new Response('reached')))
      const reply = await exchange(server.url.href, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect(reply).toMatchObject({ status: 400, json: { code: 'REQUEST_MALFORMED' } })
      expect(reply.headers.get('connection')).toBe('close')
    },
  )

  it.each(['a', 'localhost'])('for the host %s tells the app when its sender leaves', async (host) => {
    const server = listen()
    const begun = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    server.use(
      appOf(async (request) => {
        request.signal.addEventListener('abort', () => left.resolve())
        server.hold(request)
        begun.resolve()
        await left.promise
        server.release(request)
        return new Response()
      }),
    )
    using client = await TcpClient.connect(server.url.href)
    await client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    await begun.promise
    client.leave()
    await left.promise
  })
})

describe('a server that stops', () => {
  it('says so at once, still takes requests for a while, and finishes them', async () => {
    const server = listen()
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    server.use(
      appOf(async (request) => {
        if (new URL(request.url).pathname === '/quick') return new Response('quick')
        begun.resolve()
        await go.promise
        return new Response('slow')
      }),
    )
    const slow = fetch(new URL('/slow', server.url))
    await begun.promise
    expect([server.closing, server.stopping.aborted]).toEqual([false, false])
    const stopped = server.stop(200, 5_000)
    expect([server.closing, server.stopping.aborted]).toEqual([true, true])
    expect(await (await fetch(new URL('/quick', server.url))).text()).toBe('quick')
    go.resolve()
    expect(await (await slow).text()).toBe('slow')
    await stopped
    await expect(fetch(server.url)).rejects.toThrow()
  })

  it('sends what is answered when it is given up', async () => {
    const server = listen()
    const begun = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<Response>()
    server.use(
      appOf(() => {
        begun.resolve()
        return answer.promise
      }),
    )
    const late = fetch(server.url)
    await begun.promise
    await server.stop(0, 50, () => answer.resolve(new Response('given up')))
    expect(await (await late).text()).toBe('given up')
  })

  it('cuts off what does not end in time', async () => {
    const server = listen()
    const begun = Promise.withResolvers<void>()
    server.use(
      appOf(() => {
        begun.resolve()
        return new Promise<Response>(() => undefined)
      }),
    )
    const endless = fetch(server.url)
    const failed = expect(endless).rejects.toThrow()
    await begun.promise
    await server.stop(0, 100)
    await failed
  })
})
