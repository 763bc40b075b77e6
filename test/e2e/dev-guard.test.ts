import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding, saying } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { exchange } from '../support/tcp-client.ts'

let project: TestProject

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/open.ts': adding.replace('defineInference({', `defineInference({ access: 'public',`),
    'functions/hello.ts': saying('hello'),
    'functions/_models/five/model.onnx': addConstantModel(5),
  })
})
afterAll(() => project[Symbol.asyncDispose]())

/** Asks for a path with exactly these header fields. */
function get(server: TestServer, path: string, ...fields: readonly string[]) {
  return exchange(server.url, [`GET ${path} HTTP/1.1`, ...fields, 'Connection: close', '', ''].join('\r\n'))
}

describe('isoplex dev on a loopback address', () => {
  let server: TestServer
  let port: string

  beforeAll(async () => {
    server = await startServer(project, 'dev', ['--replicas', '1', '--allowed-hosts', 'my.test'])
    port = new URL(server.url).port
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it('needs no token for a function with a default model', async () => {
    expect((await server.call('/add', { json: { x: 1 } })).json).toMatchObject({ y: 6, model: 'five' })
  })

  it.each(['127.0.0.1', 'localhost', 'LocalHost', '[::1]', 'my.test'])('answers to %s', async (name) => {
    expect((await get(server, '/hello', `Host: ${name}:${port}`)).json).toEqual({ text: 'hello' })
    expect((await get(server, '/hello', `Host: ${name}`)).status).toBe(200)
  })

  it.each([
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil.example#localhost',
    'user@localhost',
    '192.168.0.7',
    '0.0.0.0',
    'localhost:1:2',
    '',
  ])('does not answer to the name "%s", which somebody may have pointed here', async (name) => {
    for (const path of ['/hello', '/-/routes', '/readyz', '/nowhere']) {
      const { status, json } = await get(server, path, `Host: ${name}`)
      expect(status === 400 || (status === 403 && json.code === 'ORIGIN_REFUSED')).toBe(true)
    }
  })

  it.each(['http://localhost:5173', 'http://127.0.0.1', 'http://[::1]:1', 'https://my.test'])(
    'answers pages of %s',
    async (origin) => {
      const { json } = await get(server, '/hello', `Host: 127.0.0.1:${port}`, `Origin: ${origin}`)
      expect(json).toEqual({ text: 'hello' })
    },
  )

  it.each(['https://evil.example', 'null', 'http://localhost.evil.example', 'http://localhost@evil.example'])(
    'does not answer pages of %s',
    async (origin) => {
      const { status, json } = await get(server, '/hello', `Host: 127.0.0.1:${port}`, `Origin: ${origin}`)
      expect({ status, code: json.code }).toEqual({ status: 403, code: 'ORIGIN_REFUSED' })
    },
  )
})

describe.each(['serve', 'dev'] as const)('isoplex %s on an address that others reach', (mode) => {
  let server: TestServer

  beforeAll(async () => {
    server = await startServer(project, mode, ['--replicas', '1', '--host', '0.0.0.0'])
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it('needs a token, even for a function with a default model', async () => {
    const { status, headers, json } = await server.call('/add', { json: { x: 1 } })
    expect({ status, code: json.code }).toEqual({ status: 401, code: 'TOKEN_MISSING' })
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
    const token = await server.token('five')
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y: 6 })
  })

  it('needs none where the function says that it is public', async () => {
    expect((await server.call('/open', { json: { x: 1 } })).json).toMatchObject({ y: 6, model: 'five' })
  })

  it('answers to any name, since it cannot know its own', async () => {
    expect((await get(server, '/hello', 'Host: models.example')).json).toEqual({ text: 'hello' })
  })

  it('prints a call that works there, to the public function', async () => {
    const { example } = await server.event(({ event }) => event === 'listening')
    expect(example).toContain('/open ')
    const shell = Bun.spawn(['sh', '-c', String(example)], { stdout: 'pipe', stderr: 'ignore' })
    expect(await new Response(shell.stdout).json()).toMatchObject({ y: 6 })
  })
})
