import { createHmac, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RayNodeDirectory } from '../../adapters/ray-serve/node-directory.ts'
import { until } from '../support/server.ts'

const key = randomBytes(32)
/** What a cluster says of an application, and its gate of the nodes, to whoever proves the key. */
let cluster: ReturnType<typeof Bun.serve>
let applications: Record<string, unknown>
/** Where its proxies listen. */
let proxyHost: string
let nodes: unknown
let directory: RayNodeDirectory | null
let told: string[][]
let troubles: string[]

function application(name: string, route: string | null): unknown {
  const config = { name, import_path: 'isoplex_shim:build', args: { name: name.split('-')[0] } }
  return { route_prefix: route, deployed_app_config: config, deployments: {}, status: 'RUNNING', message: '' }
}

function answer(request: Request): Response {
  const { pathname } = new URL(request.url)
  if (pathname === '/api/serve/applications/')
    return Response.json({ applications, http_options: { host: proxyHost, port: cluster.port } })
  if (pathname !== '/iso/-/nodes') return new Response('nothing here', { status: 404 })
  const [ms, random, mac] = (request.headers.get('x-isoplex-proof') ?? '').split('.')
  const expected = createHmac('sha256', key).update(`isoplex nodes ${ms}.${random}`).digest('hex')
  return mac === expected ? Response.json({ nodes }) : new Response('', { status: 401 })
}

beforeEach(() => {
  proxyHost = '0.0.0.0'
  applications = { 'digits-1': application('digits-1', '/iso') }
  nodes = ['10.0.0.7:7420', '[::1]:1']
  told = []
  troubles = []
  directory = null
  cluster = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer })
})
afterEach(async () => {
  directory?.[Symbol.dispose]()
  await cluster.stop(true)
})

function follow(by: Buffer = key, name: string | null = null): void {
  directory = new RayNodeDirectory({
    address: `http://127.0.0.1:${cluster.port}`,
    application: name,
    key: by,
    trouble: (message) => void troubles.push(message),
    intervalMs: 5,
  })
  directory.follow((found) => void told.push(found.map(({ host, port }) => `${host} ${port}`)))
}

it('tells the nodes of the application that has a route, and each change once', async () => {
  follow()
  await until(() => told.length === 1)
  nodes = ['10.0.0.8:1']
  await until(() => told.length === 2)
  expect(told).toEqual([['10.0.0.7 7420', '::1 1'], ['10.0.0.8 1']])
})

it('asks the gate by an IPv6 address too', async () => {
  await cluster.stop(true)
  cluster = Bun.serve({ hostname: '::', port: 0, fetch: answer })
  proxyHost = '::1'
  follow()
  await until(() => told.length === 1)
})

it('keeps what it knows while nobody has said where the replicas are', async () => {
  follow()
  await until(() => told.length === 1)
  nodes = []
  applications = {}
  await until(() => troubles.length === 1)
  expect([told.length, troubles[0]]).toEqual([1, expect.stringContaining('isoplex deploy')])
})

it('says that the gate has another key', async () => {
  follow(randomBytes(32))
  await until(() => troubles.length === 1)
  expect(troubles[0]).toContain('another key')
})

it('takes the one that is named where there are several', async () => {
  applications['words-1'] = application('words-1', '/words')
  follow()
  await until(() => troubles.length === 1)
  expect(troubles[0]).toContain('--ray-application')
  directory?.[Symbol.dispose]()
  follow(key, 'digits')
  await until(() => told.length === 1)
})

it('takes no address that is none', async () => {
  nodes = ['10.0.0.7:7420', '../etc']
  follow()
  await until(() => troubles.length === 1)
  expect(told).toEqual([])
})
