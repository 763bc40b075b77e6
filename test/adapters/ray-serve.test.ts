import { afterEach, describe, expect, it } from 'vitest'
import { RayRestClient } from '../../adapters/ray-serve/rest-client.ts'
import { createRayServeTarget } from '../../adapters/ray-serve/target.ts'

const servers: Bun.Server<undefined>[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true)
})

/** Somebody who answers, and is no Ray. */
function serve(fetch: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch })
  servers.push(server)
  return server.url.href
}

describe('the client of a dashboard', () => {
  it('says what address has nobody who answers', async () => {
    const address = serve(() => new Response())
    await servers.pop()?.stop(true)
    const port = new URL(address).port
    await expect(new RayRestClient(address).version()).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      message: expect.stringContaining(port),
    })
  })

  it.each([
    ['a page', () => new Response('<html>hello</html>')],
    ['JSON of something else', () => Response.json({ version: 1 })],
    ['an error', () => new Response('nothing here', { status: 404 })],
  ])('says that %s is no dashboard', async (_, answer) => {
    await expect(new RayRestClient(serve(answer)).version()).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
    })
  })

  it('quotes why a configuration is refused', async () => {
    const address = serve(() => new Response('route_prefix must start with a slash', { status: 400 }))
    await expect(new RayRestClient(address).put({ applications: [] })).rejects.toMatchObject({
      code: 'DEPLOY_FAILED',
      details: { log: 'route_prefix must start with a slash' },
    })
  })

  it('gives up when it is told to', async () => {
    const leaving = new AbortController()
    const address = serve(() => {
      leaving.abort()
      return new Promise<Response>(() => undefined)
    })
    await expect(new RayRestClient(address).version(leaving.signal)).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })
})

describe('a target', () => {
  it.each(['2.9.0', '2.57.1', '2.580.0', '3.0.0'])('refuses Ray %s', async (version) => {
    const address = serve(() => Response.json({ ray_version: version }))
    await expect(createRayServeTarget({ address }).connect()).rejects.toMatchObject({
      code: 'CLUSTER_UNFIT',
      message: expect.stringContaining(version),
    })
  })
})
