import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isIsoplexError } from '../../../runtime/error/error.ts'
import type { PageFile, PageFiles } from '../../../runtime/server/page/page-files.ts'
import { createPageRoutes } from '../../../runtime/server/page/routes.ts'
import type { SystemHandler } from '../../../runtime/server/system-route.ts'
import { createScratch, type Scratch } from '../../model/scratch.ts'
import { nameFor } from './page-samples.ts'

const code = 'export const answer = 42\n'.repeat(200)
const name = nameFor('worker', code)
const goneName = nameFor('gone', 'gone')

let scratch: Scratch
let server: Bun.Server<undefined>
let index: string | null = '{ "isoplexPage": 1 }'

beforeAll(async () => {
  scratch = await createScratch()
  const script: PageFile = {
    name,
    path: await scratch.write('worker', code),
    compressed: {},
  }
  const gone: PageFile = { name: goneName, path: scratch.path('gone'), compressed: {} }
  const served = new Map([script, gone].map((file) => [file.name, file]))
  const files: PageFiles = {
    index: async () => index,
    find: async (asked) => served.get(asked) ?? null,
    client: async () => script,
    playground: async () => (index === null ? null : { script: name, styles: null }),
  }
  const handlers = new Map(createPageRoutes(files).map(({ path, handlers }) => [path, handlers.GET]))
  server = Bun.serve({ port: 0, fetch: (request) => answer(handlers, request) })
})
afterAll(async () => {
  await server.stop(true)
  await scratch[Symbol.asyncDispose]()
})

/** Routes as the app does, which decodes what stands in a path's place. */
async function answer(
  handlers: ReadonlyMap<string, SystemHandler | undefined>,
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  const named = handlers.get('/-/browser/:file')
  const parameters = [decodeURIComponent(pathname.slice('/-/browser/'.length))]
  try {
    return await ((handlers.get(pathname) ?? named)?.({ request, parameters }) ?? new Response(null))
  } catch (error) {
    return new Response(isIsoplexError(error) ? error.code : String(error), { status: 404 })
  }
}

/** Asks over a socket, and leaves the body as it was sent. */
async function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const reply = await fetch(new URL(path, server.url), {
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
    decompress: false,
  })
  return { status: reply.status, bytes: Buffer.from(await reply.arrayBuffer()), headers: reply.headers }
}

describe('a file for pages', () => {
  it('is found by its name, to be kept for good', async () => {
    const { status, bytes, headers } = await ask(`/-/browser/${name}`)
    expect({ status, text: bytes.toString() }).toEqual({ status: 200, text: code })
    expect(headers.get('cache-control')).toContain('immutable')
  })

  it.each([
    'worker',
    '..%2fworker',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    `${name}.br`,
    `x%2f${name}`,
    goneName,
    `${name}%00`,
  ])('is not found by the name %s', async (asked) => {
    const { status, bytes } = await ask(`/-/browser/${asked}`)
    expect({ status, text: bytes.toString() }).toEqual({ status: 404, text: 'ROUTE_NOT_FOUND' })
  })
})

describe('index.json and client.js', () => {
  it('are asked for anew each time, and not sent twice', async () => {
    for (const path of ['/-/browser/index.json', '/-/browser/client.js']) {
      const { headers } = await ask(path)
      expect(headers.get('cache-control')).toBe('no-cache')
      expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin')
      const again = await ask(path, { 'if-none-match': headers.get('etag') ?? '' })
      expect({ status: again.status, size: again.bytes.length }).toEqual({ status: 304, size: 0 })
    }
    expect((await ask('/-/browser/index.json')).headers.get('content-type')).toMatch(/^application\/json/)
  })

  it('are not there, nor is the playground, where nothing is served to pages', async () => {
    index = null
    for (const path of ['/-/browser/index.json', '/-/playground'])
      expect((await ask(path)).bytes.toString()).toBe('ROUTE_NOT_FOUND')
    index = '{}'
  })
})
