import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding, saying } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { exchange, type TcpReply } from '../support/tcp-client.ts'

const files = {
  'functions/add.ts': adding,
  'functions/hello.ts': saying('hello'),
  'functions/_models/five/model.onnx': addConstantModel(5),
}
const body = '{"x": 1, "note": "\\u00e9"}'

/** The very bytes that the Synapse SDK's client sends, as Python's requests writes them. */
function pythonRequest(
  method: string,
  path: string,
  token: string | null,
  header = 'serve_multiplexed_model_id',
) {
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost:8100',
    'User-Agent: python-requests/2.34.2',
    'Accept-Encoding: gzip, deflate',
    'Accept: */*',
    'Connection: keep-alive',
    ...(token === null ? [] : [`${header}: ${token}`]),
    `Content-Length: ${body.length}`,
    'Content-Type: application/json',
    '',
    body,
  ].join('\r\n')
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** Asks a server as a Synapse client does. */
async function ask(
  server: TestServer,
  path: string,
  options: { readonly header?: string; readonly method?: string; readonly tokenless?: true } = {},
): Promise<TcpReply> {
  const token = options.tokenless ? null : await server.token('five')
  return exchange(server.url, pythonRequest(options.method ?? 'POST', path, token, options.header))
}

describe('a plugin of Synapse', () => {
  const checksum = '7dbcdb4cdcff0833accce5cec9a375d1'
  let project: TestProject
  let server: TestServer

  beforeAll(async () => {
    project = await makeProject(files)
    server = await startServer(project, 'serve', ['--replicas', '1'], {
      SYNAPSE_PLUGIN_RELEASE_CHECKSUM: checksum,
      SYNAPSE_PLUGIN_RELEASE_CODE: 'other_plugin@2.0.0',
    })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  it.each([`/${checksum}/`, `/${checksum}`, `/${checksum}/add`])(
    'answers its client at %s by its only inference function',
    async (path) => {
      const { status, headers, json } = await ask(server, path)
      expect({ status, type: headers.get('content-type') }).toEqual({
        status: 200,
        type: expect.stringMatching(/^application\/json/),
      })
      expect(json).toEqual({ y: 6, model: 'five', version: '1', note: null })
    },
  )

  it.each(['serve_multiplexed_model_id', 'Serve_Multiplexed_Model_Id', 'serve-multiplexed-model-id'])(
    'finds the token in the header %s',
    async (header) => {
      expect((await ask(server, `/${checksum}/`, { header })).json).toMatchObject({ y: 6 })
    },
  )

  it('keeps the connection for the next request', async () => {
    const { headers } = await ask(server, `/${checksum}/`)
    expect(headers.get('connection') ?? 'keep-alive').toBe('keep-alive')
  })

  it('wants a token, the right method and the right path', async () => {
    expect((await ask(server, `/${checksum}/`, { tokenless: true })).status).toBe(401)
    const wrong = await ask(server, `/${checksum}/`, { method: 'GET' })
    expect({ status: wrong.status, allow: wrong.headers.get('allow') }).toEqual({
      status: 405,
      allow: 'POST, OPTIONS',
    })
    for (const path of [
      '/',
      '/add',
      `/${checksum}x/`,
      `/${checksum}/nowhere`,
      `/${checksum.toUpperCase()}/`,
    ]) {
      expect((await ask(server, path)).status).toBe(404)
    }
  })

  it('says its name and where its routes begin', async () => {
    const { json } = await server.call('/-/routes')
    expect(json).toMatchObject({ app: 'other_plugin@2.0.0', routePrefix: `/${checksum}` })
  })
})

describe('the prefix of a plugin', () => {
  it.each<[from: string, code: string, environment: Record<string, string>, config: string | null]>([
    ['the code of its release', 'my_plugin@1.0.0', { SYNAPSE_PLUGIN_RELEASE_CODE: 'my_plugin@1.0.0' }, null],
    ['its config.yaml', 'from_file@0.3.0', {}, 'name: A plugin\ncode: from_file\nversion: 0.3.0\n'],
    ['its config.yaml without a version', 'from_file@0.1.0', {}, 'code: from_file\n'],
  ])('is the MD5 of its name from %s', async (_, code, environment, config) => {
    await using project = await makeProject(config === null ? files : { ...files, 'config.yaml': config })
    await using server = await startServer(project, 'serve', ['--replicas', '1'], environment)
    expect((await ask(server, `/${md5(code)}/`)).json).toMatchObject({ y: 6, model: 'five' })
    expect((await server.call('/-/routes')).json).toMatchObject({ app: code, routePrefix: `/${md5(code)}` })
  })
})

describe('the root of a project', () => {
  it('is the index where there is one, whatever else is there', async () => {
    await using project = await makeProject({
      ...files,
      'functions/index.ts': adding.replace('y: Number(y.item())', `y: 'index'`),
    })
    await using server = await startServer(project, 'serve', ['--replicas', '1', '--route-prefix', '/p'])
    for (const path of ['/p', '/p/']) expect((await ask(server, path)).json).toMatchObject({ y: 'index' })
    expect((await ask(server, '/p/add')).json).toMatchObject({ y: 6 })
  })

  it('is nobody where several inference functions could be meant', async () => {
    await using project = await makeProject({ ...files, 'functions/more.ts': adding })
    await using server = await startServer(project, 'serve', ['--replicas', '1'])
    expect((await ask(server, '/')).status).toBe(404)
  })
})
