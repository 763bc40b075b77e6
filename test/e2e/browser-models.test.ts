import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type Reply, startServer, type TestProject, type TestServer } from '../support/server.ts'

const inPages = adding.replace('model: onnx', "runs: ['server', 'browser'],\n  model: onnx")
const marked = '{ "browser": true, "note": "for pages" }'
const origin = 'https://app.example'

/** The models of a project: 34 and five are marked for browsers, plain is not. */
const files = {
  'functions/add.ts': inPages,
  'functions/here.ts': adding,
  'functions/_models/five/model.onnx': addConstantModel(5),
  'functions/_models/five/isoplex.json': marked,
  'functions/_models/34/model.onnx': addConstantModel(34),
  'functions/_models/34/isoplex.json': marked,
  'functions/_models/plain/model.onnx': addConstantModel(9),
}

const ask = (server: TestServer, token: string, name = 'add'): Promise<Reply> =>
  server.call(`/-/grants/${name}`, { token })

describe('a server that gives models to pages', () => {
  let project: TestProject
  let server: TestServer
  beforeAll(async () => {
    project = await makeProject(files, { corsOrigins: [origin] })
    server = await startServer(project, 'serve', ['--replicas', '1', '--log-level', 'debug'])
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  const artifactOf = async (model: string): Promise<string> =>
    (await ask(server, await server.token(model))).json.url

  it('grants a marked model, whole and in parts, with what is said of it', async () => {
    const { status, headers, json, text } = await ask(server, await server.token('five'))
    expect({ status, cached: headers.get('cache-control') }).toEqual({ status: 200, cached: 'no-store' })
    expect(json).toMatchObject({ id: 'five', version: '1', fields: { browser: true, note: 'for pages' } })
    expect(text).not.toContain(project.directory)
    const url = new URL(json.url, server.url)
    const whole = new Uint8Array(await (await fetch(url)).arrayBuffer())
    expect(whole.length).toBe(json.sizeBytes)
    expect(new Bun.CryptoHasher('sha256').update(whole).digest('hex')).toBe(json.digest)
    const etag = `"${json.digest}"`
    const part = await fetch(url, { headers: { range: 'bytes=10-', 'if-range': etag } })
    expect({ status: part.status, range: part.headers.get('content-range') }).toEqual({
      status: 206,
      range: `bytes 10-${whole.length - 1}/${whole.length}`,
    })
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(whole.slice(10))
    const other = await fetch(url, { headers: { range: 'bytes=10-', 'if-range': '"other"' } })
    expect({ status: other.status, etag: other.headers.get('etag') }).toEqual({ status: 200, etag })
  })

  it('refuses what it refuses for calls, and what is not for pages', async () => {
    expect(await ask(server, await server.token('plain'))).toMatchObject({
      status: 403,
      json: { code: 'MODEL_FORBIDDEN', detail: expect.stringContaining('--browser') },
    })
    expect(await ask(server, await server.token('nobody'))).toMatchObject({ status: 404 })
    expect(await ask(server, await server.token('five'), 'here')).toMatchObject({
      status: 404,
      json: { code: 'ROUTE_NOT_FOUND' },
    })
    expect((await server.call('/-/grants/add')).status).toBe(401)
    expect((await server.call('/-/grants/add', { method: 'POST' })).status).toBe(405)
  })

  it('gives nothing for a grant of another model, or one that was altered', async () => {
    const [five, other] = await Promise.all([artifactOf('five'), artifactOf('34')])
    const [path, grant] = five.split('?grant=')
    const [, otherGrant] = other.split('?grant=')
    const [end] = String(grant).split('.')
    for (const bad of [
      `${path}?grant=${otherGrant}`,
      `${path}?grant=${String(grant).replace(String(end), String(Number(end) + 60_000))}`,
      `${path}?grant=${String(grant).replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))}`,
      String(path),
    ]) {
      expect(await server.call(bad)).toMatchObject({ status: 403, json: { code: 'GRANT_INVALID' } })
    }
    expect((await server.call(five)).status).toBe(200)
  })

  it('lets pages of a listed origin ask and resume, and others not', async () => {
    const url = await artifactOf('five')
    const preflight = async (path: string, asked: string, from: string): Promise<Headers> => {
      const { headers } = await server.call(path, {
        method: 'OPTIONS',
        headers: {
          origin: from,
          'access-control-request-method': 'GET',
          'access-control-request-headers': asked,
        },
      })
      return headers
    }
    const granted = await preflight('/-/grants/add', 'serve_multiplexed_model_id', origin)
    expect(granted.get('access-control-allow-origin')).toBe(origin)
    expect(granted.get('access-control-allow-headers')).toContain('serve_multiplexed_model_id')
    expect((await preflight(url, 'if-range,range', origin)).get('access-control-allow-headers')).toContain(
      'if-range',
    )
    const read = await server.call(url, { headers: { origin, range: 'bytes=1-' } })
    expect(read.headers.get('access-control-expose-headers')).toContain('content-range')
    for (const path of ['/-/grants/add', url]) {
      const foreign = await preflight(path, 'if-range', 'https://evil.example')
      expect(foreign.has('access-control-allow-origin')).toBe(false)
      const { headers } = await server.call(path, { headers: { origin: 'https://evil.example' } })
      expect(headers.has('access-control-allow-origin')).toBe(false)
    }
  })

  it('marks a model that is added with --browser, and shows the mark', async () => {
    await project.write('six.onnx', addConstantModel(6))
    expect((await project.run('models', 'add', 'six.onnx', '--id', 'six', '--browser')).code).toBe(0)
    expect((await project.run('models', 'list')).stdout).toMatch(/^six .* yes +added$/m)
    expect((await project.run('models', 'show', 'six')).stdout).toContain('{"browser":true}')
    expect((await ask(server, await server.token('six'))).status).toBe(200)
    const access = (await project.run('access', 'add', '--right', 'admin')).stdout.trim()
    const listed = await server.call('/-/models/six', { headers: { authorization: `Bearer ${access}` } })
    expect(listed.json.versions).toMatchObject([{ fields: { browser: true } }])
  })

  it('writes no token and no grant into its log', async () => {
    const token = await server.token('five')
    const { json } = await ask(server, token)
    await server.call(json.url)
    const [, grant] = String(json.url).split('?grant=')
    expect(server.log()).not.toContain(grant)
    expect(server.log()).not.toContain(token)
  })
})

describe('dev', () => {
  it('gives all models to pages of its own, marked or not, and none to pages of others', async () => {
    await using project = await makeProject(files)
    await using server = await startServer(project, 'dev', ['--replicas', '1'])
    expect(await ask(server, await server.token('plain'))).toMatchObject({
      status: 200,
      json: { id: 'plain' },
    })
    const without = await server.call('/-/grants/add')
    expect(without).toMatchObject({ status: 200, json: { id: 'five' } })
    for (const path of ['/-/grants/add', without.json.url]) {
      const foreign = await server.call(path, { headers: { origin: 'https://evil.example' } })
      expect(foreign).toMatchObject({ status: 403, json: { code: 'ORIGIN_REFUSED' } })
    }
  })
})

describe('a server whose models come from another', () => {
  it('gives pages those that are marked there, from its own store', async () => {
    await using source = await makeProject(files)
    const access = (await source.run('access', 'add', '--label', 'pages')).stdout.trim()
    await source.write('35.onnx', addConstantModel(35))
    await source.run('models', 'add', '35.onnx', '--id', '35')
    await using feeding = await startServer(source, 'serve', ['--replicas', '1'])
    const backendUrl = `${new URL(feeding.url).origin}/-/registry`
    await using fed = await makeProject({ 'functions/add.ts': inPages })
    const flags = ['--replicas', '1', '--backend', 'synapse', '--backend-url', backendUrl]
    await using server = await startServer(fed, 'serve', flags)
    const granted = async (modelId: number): Promise<Reply> =>
      ask(server, await createServeMultiplexedModelId({ modelId, token: access, backendUrl }))
    const { json, text } = await granted(34)
    expect(json).toMatchObject({ id: '34', fields: { browser: true, note: 'for pages' } })
    expect(text).not.toContain(backendUrl)
    expect(await granted(35)).toMatchObject({ status: 403, json: { code: 'MODEL_FORBIDDEN' } })
    await feeding[Symbol.asyncDispose]()
    const bytes = await (await fetch(new URL(json.url, server.url))).arrayBuffer()
    expect(new Bun.CryptoHasher('sha256').update(bytes).digest('hex')).toBe(json.digest)
  })
})
