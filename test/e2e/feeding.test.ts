import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { adding } from '../support/function-files.ts'
import { HostileServer } from '../support/hostile-server.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import {
  call,
  makeProject,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'

/** Starts a server whose models come from a Synapse backend. */
function startFed(project: TestProject, backendUrl: string, ...args: string[]): Promise<TestServer> {
  const flags = ['--replicas', '1', '--backend', 'synapse', '--backend-url', backendUrl, ...args]
  return startServer(project, 'serve', flags)
}

describe('one isoplex that feeds another', () => {
  let source: TestProject
  let fed: TestProject
  let feeding: TestServer
  let server: TestServer
  let backendUrl: string
  const accesses: { id: number; token: string }[] = []

  beforeAll(async () => {
    source = await makeProject({
      'functions/add.ts': adding,
      'functions/_models/34/model.onnx': addConstantModel(34),
    })
    await source.run('tenants', 'add', 'acme')
    for (const label of ['one', 'two']) {
      const made = await source.run('access', 'add', '--tenant', 'acme', '--label', label, '--json')
      accesses.push(JSON.parse(made.stdout))
    }
    fed = await makeProject({ 'functions/add.ts': adding })
    feeding = await startServer(source, 'serve', ['--replicas', '1'])
    backendUrl = `${new URL(feeding.url).origin}/-/registry`
    server = await startFed(fed, backendUrl)
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await feeding?.[Symbol.asyncDispose]()
    await fed?.[Symbol.asyncDispose]()
    await source?.[Symbol.asyncDispose]()
  })

  const ask = async (token: string, tenant: string | null = null, modelId = 34) =>
    server.call('/add', {
      json: { x: 1 },
      token: await createServeMultiplexedModelId({ modelId, token, backendUrl, tenant }),
    })

  it('answers for an access token of the other, by its model', async () => {
    const [one, two] = accesses
    expect(await ask(String(one?.token), 'acme')).toMatchObject({ status: 200, json: { y: 35, model: '34' } })
    expect(await ask(String(two?.token))).toMatchObject({ status: 200, json: { y: 35 } })
  })

  it('refuses what the other refuses', async () => {
    const [one] = accesses
    expect(await ask('made up')).toMatchObject({ status: 401, json: { reason: 'refused' } })
    expect(await ask(String(one?.token), 'other')).toMatchObject({ status: 403 })
    expect(await ask(String(one?.token), null, 99)).toMatchObject({ status: 404, json: { model: '99' } })
  })

  it('serves its new version once it has heard of it, and loses no request meanwhile', async () => {
    const [one] = accesses
    const token = String(one?.token)
    await source.write('seven.onnx', addConstantModel(7))
    await source.run('models', 'add', 'seven.onnx', '--id', 'seven')
    const seven = async () => {
      const modelToken = await createServeMultiplexedModelId({ modelId: 'seven', token, backendUrl })
      return server.call('/add', { json: { x: 1 }, token: modelToken })
    }
    expect((await seven()).json).toMatchObject({ y: 8 })
    await source.write('eight.onnx', addConstantModel(8))
    await source.run('models', 'add', 'eight.onnx', '--id', 'seven')
    // An answer of the other holds for 30 seconds; until then the old version goes on answering.
    await until(async () => {
      const { status, json } = await seven()
      expect({ status, known: json.y === 8 || json.y === 9 }).toEqual({ status: 200, known: true })
      return json.version === '2'
    })
    expect((await seven()).json).toMatchObject({ y: 9, version: '2' })
  }, 60_000)
})

describe('a thousand requests for one cold model', () => {
  it('ask the backend once a token, and download it once', async () => {
    await using backend = await HostileServer.start()
    const bytes = addConstantModel(5, 1_048_576)
    backend.reply('/models/5/', { kind: 'json', value: { id: 5, name: 'five', file: `${backend.url}/file` } })
    backend.reply('/file', { kind: 'file', bytes, ranges: 'honoured', etag: '"1"' })
    await using project = await makeProject({ 'functions/add.ts': adding })
    await using server = await startFed(project, backend.url, '--max-queued-requests', '2000')
    const tokens = await Promise.all(
      ['a', 'b', 'c', 'd'].map((token) =>
        createServeMultiplexedModelId({ modelId: 5, token, backendUrl: backend.url }),
      ),
    )
    const replies = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        server.call('/add', { json: { x: 1 }, token: String(tokens[index % tokens.length]) }),
      ),
    )
    expect(new Set(replies.map(({ status, json }) => `${status} ${json?.y}`))).toEqual(new Set(['200 6']))
    const paths = Map.groupBy(backend.requests, ({ path }) => path)
    expect(paths.get('/models/5/')).toHaveLength(4)
    expect(paths.get('/file')).toHaveLength(1)
    expect(paths.get('/file')?.[0]?.headers.has('authorization')).toBe(false)
  }, 60_000)
})

describe('a backend that fails', () => {
  it.each([
    [{ kind: 'reply', status: 401 }, 401, 'TOKEN_INVALID'],
    [{ kind: 'reply', status: 403 }, 403, 'MODEL_FORBIDDEN'],
    [{ kind: 'reply', status: 404 }, 404, 'MODEL_NOT_FOUND'],
    [{ kind: 'reply', status: 500 }, 502, 'BACKEND_BROKEN'],
    [{ kind: 'reply', status: 503, headers: { 'retry-after': '7' } }, 502, 'BACKEND_UNAVAILABLE'],
    [{ kind: 'reply', status: 200, body: '<html><body>Sign in</body></html>' }, 502, 'BACKEND_BROKEN'],
    [{ kind: 'never' }, 502, 'BACKEND_UNAVAILABLE'],
    [{ kind: 'json', value: { id: 5, name: 'no file', file: null } }, 502, 'BACKEND_BROKEN'],
    [{ kind: 'json', value: { id: 5, file: 'http://169.254.169.254/latest' } }, 502, 'ARTIFACT_BROKEN'],
    [{ kind: 'json', value: { id: 5, file: 'file:///etc/passwd' } }, 502, 'ARTIFACT_BROKEN'],
  ] as const)('is told of: %j', async (behaviour, status, code) => {
    await using backend = await HostileServer.start()
    backend.reply('/models/5/', behaviour)
    await using project = await makeProject({ 'functions/add.ts': adding })
    await using server = await startFed(project, backend.url, '--backend-timeout-ms', '1500')
    const token = await createServeMultiplexedModelId({ modelId: 5, token: 'any', backendUrl: backend.url })
    const reply = await server.call('/add', { json: { x: 1 }, token })
    expect({ status: reply.status, code: reply.json.code }).toEqual({ status, code })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    if (status !== 502 || code !== 'BACKEND_UNAVAILABLE') return
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('models pull', () => {
  it('has a model here before anybody asks for it, with the access token of this server', async () => {
    await using backend = await HostileServer.start()
    backend.reply('/models/5/', { kind: 'json', value: { id: 5, file: `${backend.url}/file` } })
    backend.reply('/file', { kind: 'file', bytes: addConstantModel(5), ranges: 'honoured', etag: '"1"' })
    await using project = await makeProject(
      { 'functions/add.ts': adding },
      { backend: 'synapse', backendUrl: backend.url },
    )
    const environment = { SYNAPSE_ACCESS_TOKEN: 'the-access-token-of-this-server' }
    await using server = await startServer(project, 'serve', ['--replicas', '1'], environment)
    const pulled = await project.run('models', 'pull', '5')
    expect(pulled).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Here: 5@[0-9a-f]{12} /) })
    await until(() => backend.requests.length >= 2)
    expect(backend.requests[0]?.headers.get('authorization')).toBe('Token the-access-token-of-this-server')
    const token = await server.token('5')
    expect((await call(`${server.url}/add`, { json: { x: 1 }, token })).json).toMatchObject({ y: 6 })
    expect(backend.requests.filter(({ path }) => path === '/file')).toHaveLength(1)
  })
})
