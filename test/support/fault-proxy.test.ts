import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { until } from './server.ts'

const content = Uint8Array.from({ length: 100_000 }, (_, place) => place % 251)
let target: Bun.Server<undefined>
let proxy: FaultProxy

beforeAll(async () => {
  target = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/echo') return new Response(await request.bytes(), { status: 201 })
      if (pathname === '/gzip')
        return new Response(Bun.gzipSync(content), { headers: { 'content-encoding': 'gzip' } })
      return new Response(content, { headers: { 'x-range': request.headers.get('range') ?? 'none' } })
    },
  })
  proxy = await startFaultProxy(`http://127.0.0.1:${target.port}`)
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await target.stop(true)
})

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(proxy.url + path, init)

it('passes requests and replies as they are, and counts their bytes', async () => {
  const sent = await ask('/echo?a=1', { method: 'POST', body: content })
  expect([sent.status, await sent.bytes()]).toEqual([201, content])
  const ranged = await ask('/file', { headers: { range: 'bytes=5-' } })
  expect([ranged.headers.get('x-range'), await ranged.bytes()]).toEqual(['bytes=5-', content])
  expect(await (await ask('/gzip')).bytes()).toEqual(content)
  expect(proxy.requests).toMatchObject([
    { method: 'POST', path: '/echo', range: null, bodyBytes: content.length },
    { method: 'GET', path: '/file', range: 'bytes=5-', bodyBytes: content.length },
    { path: '/gzip', bodyBytes: Bun.gzipSync(content).length },
  ])
})

it('cuts a reply short, as often as it is told to', async () => {
  using fault = proxy.harm({ path: /^\/file$/, harm: 'cut', atByte: 70_000, times: 1 })
  await expect(ask('/file').then((reply) => reply.bytes())).rejects.toThrow()
  expect(proxy.requests.at(-1)).toMatchObject({ bodyBytes: 70_000 })
  expect(await (await ask('/file')).bytes()).toEqual(content)
  expect(fault.count).toBe(1)
})

it('alters one byte of a reply', async () => {
  using _ = proxy.harm({ path: /^\/file$/, harm: 'alter', atByte: 99_999 })
  const altered = await (await ask('/file')).bytes()
  expect(altered.subarray(0, -1)).toEqual(content.subarray(0, -1))
  expect(altered.at(-1)).not.toBe(content.at(-1))
})

it('holds a reply back until the fault is over', async () => {
  const fault = proxy.harm({ path: /^\/file$/, harm: 'stall', atByte: 10 })
  const reply = ask('/file').then((response) => response.bytes())
  await until(() => proxy.requests.at(-1)?.bodyBytes === 10)
  fault[Symbol.dispose]()
  expect(await reply).toEqual(content)
})

it('cuts a reply that it has held back', async () => {
  const fault = proxy.harm({ path: /^\/file$/, harm: 'stall', atByte: 10 })
  const reply = ask('/file').then((response) => response.bytes())
  await until(() => proxy.requests.at(-1)?.bodyBytes === 10)
  fault.cut()
  await expect(reply).rejects.toThrow()
})

it('says that there is nothing', async () => {
  using _ = proxy.harm({ path: /^\/file$/, harm: 'miss' })
  expect((await ask('/file')).status).toBe(404)
})

it('goes away and comes back', async () => {
  await proxy.leave()
  await expect(ask('/file')).rejects.toThrow()
  await proxy.return()
  expect((await ask('/file')).status).toBe(200)
})
