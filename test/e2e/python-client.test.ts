import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { pythonAbsence, type SynapseClient, startSynapseClient } from '../support/synapse-client.ts'

const prefix = '/7dbcdb4cdcff0833accce5cec9a375d1'
const backendUrl = 'https://api.example.com'

const failing = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  input: Type.Object({ what: Type.String() }),
  handler: ({ input }) => {
    if (input.what === 'throw') throw new Error('a secret of the handler')
    return { value: Number.NaN }
  },
})
`

describe.runIf(requireOrSkip('python', pythonAbsence()))('a client in Python', () => {
  let project: TestProject
  let server: TestServer
  let client: SynapseClient
  let accessToken: string

  beforeAll(async () => {
    project = await makeProject({
      'functions/index.ts': adding,
      'functions/failing.ts': failing,
      'functions/_models/34/model.onnx': addConstantModel(34),
    })
    await project.run('tenants', 'add', 'acme')
    const access = await project.run('access', 'add', '--tenant', 'acme', '--label', 'python')
    accessToken = access.stdout.trim()
    server = await startServer(project, 'serve', ['--replicas', '1', '--backend-url', backendUrl], {
      SYNAPSE_PLUGIN_RELEASE_CHECKSUM: prefix.slice(1),
    })
    client = startSynapseClient()
  })
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  /** Calls as infer_remote does. */
  const infer = (params: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) =>
    client.ask({
      op: 'infer',
      base: server.url.replace(prefix, ''),
      prefix,
      params: { model: 34, json: { x: 1, note: 'é' }, ...params },
      token: accessToken,
      backend_url: backendUrl,
      ...more,
    })
  const raw = (method: string, path: string, headers = {}, body: string | null = null) =>
    client.ask({ op: 'raw', method, url: `${server.url.replace(prefix, '')}${path}`, headers, body })

  it('makes the token that we make, to the byte', async () => {
    for (const tenant of [null, '테넌트/é"<']) {
      const { token } = await client.ask({
        op: 'token',
        model: 34,
        token: 't',
        backend_url: backendUrl,
        tenant,
      })
      const ours = await createServeMultiplexedModelId({ modelId: 34, token: 't', backendUrl, tenant })
      expect(ours).toBe(token)
    }
  })

  it('gets an answer as infer_remote asks for it, in compact JSON', async () => {
    const { status, headers, json, text } = await infer({})
    expect({ status, json }).toEqual({ status: 200, json: { y: 35, model: '34', version: '1', note: null } })
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(text).not.toContain(': ')
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}-[0-9a-z]+$/)
  })

  it('has its request id sent back', async () => {
    const { headers } = await infer({}, { headers: { 'X-Request-ID': 'from-python' } })
    expect(headers['x-request-id']).toBe('from-python')
  })

  it('may name the tenant of its access token, and no other', async () => {
    expect((await infer({}, { tenant: 'acme' })).status).toBe(200)
    expect(await infer({}, { tenant: 'other' })).toMatchObject({
      status: 403,
      json: { code: 'MODEL_FORBIDDEN' },
    })
  })

  it.each([
    ['a made-up access token', { token: 'made up' }, 'refused'],
    ['an empty access token', { token: '' }, 'refused'],
    ['the URL of another backend', { backend_url: 'https://api.example.com/' }, 'signature'],
  ])('is refused with %s, though anybody could have made the token', async (_, more, reason) => {
    const reply = await infer({}, more)
    expect(reply).toMatchObject({ status: 401, json: { code: 'TOKEN_INVALID', reason } })
    expect(reply.headers['content-type']).toBe('application/problem+json')
    expect(reply.headers['www-authenticate']).toContain('invalid_token')
  })

  it('is told which model there is not', async () => {
    expect(await infer({ model: 35 })).toMatchObject({
      status: 404,
      json: { code: 'MODEL_NOT_FOUND', model: '35' },
    })
  })

  it('needs a token, where another server would fail', async () => {
    expect(await infer({ model: null })).toMatchObject({ status: 401, json: { code: 'TOKEN_MISSING' } })
  })

  it.each([
    ['a missing field', { json: {} }, '/x'],
    ['a wrong type', { json: { x: 'abc' } }, '/x'],
  ])('is told where the schema says no: %s', async (_, params, path) => {
    expect(await infer(params)).toMatchObject({
      status: 422,
      json: { code: 'INPUT_INVALID', issues: [expect.objectContaining({ path })] },
    })
  })

  it('is told what the server cannot read', async () => {
    const { token } = await client.ask({
      op: 'token',
      model: 34,
      token: accessToken,
      backend_url: backendUrl,
    })
    const headers = { serve_multiplexed_model_id: token }
    const broken = await raw(
      'POST',
      `${prefix}/`,
      { ...headers, 'Content-Type': 'application/json' },
      '{"x":',
    )
    expect(broken).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID' } })
    const text = await raw('POST', `${prefix}/`, { ...headers, 'Content-Type': 'text/plain' }, 'x')
    expect(text).toMatchObject({ status: 415, json: { code: 'MEDIA_TYPE_UNSUPPORTED' } })
    const withoutSlash = await raw('POST', prefix, headers, '{"x": 1}')
    expect(withoutSlash).toMatchObject({ status: 200 })
    const other = await raw('GET', `${prefix}/`, headers)
    expect(other).toMatchObject({ status: 405, headers: { allow: 'POST, OPTIONS' } })
    for (const path of [`${prefix}//`, `${prefix}/zzz`, '/nope/', `${prefix}x/`, '/']) {
      expect(await raw('POST', path, headers, '{}')).toMatchObject({
        status: 404,
        json: { code: 'ROUTE_NOT_FOUND' },
      })
    }
  })

  it('hears of a handler that throws without its words, and of NaN as null', async () => {
    const { token } = await client.ask({
      op: 'token',
      model: 34,
      token: accessToken,
      backend_url: backendUrl,
    })
    const headers = { serve_multiplexed_model_id: token, 'Content-Type': 'application/json' }
    const thrown = await raw('POST', `${prefix}/failing`, headers, '{"what": "throw"}')
    expect(thrown).toMatchObject({ status: 500, json: { code: 'INTERNAL' } })
    expect(thrown.text).not.toContain('secret')
    expect(await raw('POST', `${prefix}/failing`, headers, '{"what": "nan"}')).toMatchObject({
      status: 200,
      json: { value: null },
    })
  })

  it('loses its right when the access is revoked, though the model is loaded', async () => {
    const made = await project.run('access', 'add', '--tenant', 'acme', '--json')
    const { id, token } = JSON.parse(made.stdout)
    expect((await infer({}, { token })).status).toBe(200)
    await project.run('access', 'revoke', id)
    // The server follows its registry; at the latest an answer is 30 seconds old.
    let reply = await infer({}, { token })
    while (reply.status === 200) reply = await infer({}, { token })
    expect(reply).toMatchObject({ status: 401, json: { reason: 'refused' } })
    expect((await infer({})).status).toBe(200)
  }, 40_000)
})
