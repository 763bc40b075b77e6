import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { pythonAbsence, type SynapseClient, startSynapseClient } from '../support/synapse-client.ts'

const model = addConstantModel(34, 262_144)

describe.runIf(requireOrSkip('python', pythonAbsence()))('the registry, to a client in Python', () => {
  let project: TestProject
  let server: TestServer
  let client: SynapseClient
  let user: string
  let publisher: string

  beforeAll(async () => {
    project = await makeProject({ 'functions/add.ts': adding, 'functions/_models/34/model.onnx': model })
    await project.run('tenants', 'add', 'acme')
    const access = async (...words: string[]): Promise<string> =>
      (await project.run('access', 'add', ...words)).stdout.trim()
    user = await access('--tenant', 'acme')
    publisher = await access('--tenant', 'acme', '--right', 'publish')
    server = await startServer(project, 'serve', ['--replicas', '1'])
    client = startSynapseClient()
  })
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  const ask = (op: string, credentials: Readonly<Record<string, unknown>>, more = {}) =>
    client.ask({
      op,
      backend: { base_url: `${new URL(server.url).origin}/-/registry`, ...credentials },
      ...more,
    })

  it.each(['authorization_token', 'access_token'])('shows a model by %s', async (header) => {
    const { status, json } = await ask('get_model', { [header]: user, tenant: 'acme' }, { model: 34 })
    expect({ status, json }).toMatchObject({
      status: 200,
      json: {
        id: 34,
        file: expect.stringContaining('/-/registry/artifacts/'),
        checksum: expect.stringMatching(/^sha256:/),
      },
    })
  })

  it('lists models by the page', async () => {
    expect(await ask('list_models', { access_token: user })).toMatchObject({
      status: 200,
      json: { count: 1, next: null, results: [expect.objectContaining({ id: 34 })] },
    })
  })

  it('hands an artifact to who follows its link without a header', async () => {
    const { model: info, sha256, size, names } = await ask('download', { access_token: user }, { model: 34 })
    expect({ size, names }).toEqual({ size: info.size, names: ['model.onnx'] })
    expect(info.checksum).toBe(`sha256:${sha256}`)
  })

  it.each([
    ['no access token', {}, 401, 'ACCESS_REQUIRED'],
    ['a made-up access token', { access_token: 'made up' }, 401, 'ACCESS_REQUIRED'],
    [
      'a tenant that is not its own',
      () => ({ access_token: user, tenant: 'other' }),
      403,
      'ACCESS_FORBIDDEN',
    ],
  ] as const)('refuses %s', async (_, credentials, status, code) => {
    const given = typeof credentials === 'function' ? credentials() : credentials
    expect(await ask('get_model', given, { model: 34 })).toMatchObject({ status, json: { code } })
  })

  it('knows what it has not', async () => {
    expect(await ask('get_model', { access_token: user }, { model: 35 })).toMatchObject({
      status: 404,
      json: { code: 'MODEL_NOT_FOUND' },
    })
  })

  it('takes a model in chunks, which answers at once', async () => {
    const path = join(project.directory, 'new.onnx')
    const bytes = addConstantModel(7, 262_144)
    await Bun.write(path, bytes)
    const { replies, model: made } = await ask(
      'upload',
      { authorization_token: publisher },
      { name: 'seven', path, chunk_bytes: 100_000 },
    )
    expect(replies.map(({ status }: { status: number }) => status)).toEqual([200, 200, 200, 200])
    expect(replies.at(-1).json).toMatchObject({ checksum: expect.any(String), size: bytes.length })
    expect(made).toMatchObject({ status: 201, json: { id: 'seven', tenant: 'acme' } })
    const { sha256 } = await ask('download', { access_token: user }, { model: 'seven' })
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    const token = await server.token('seven', 'acme')
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({
      y: 8,
      model: 'seven',
    })
    const stranger = await server.token('seven', 'other')
    expect(await server.call('/add', { json: { x: 1 }, token: stranger })).toMatchObject({ status: 403 })
  })

  it('takes no model of who may only use them', async () => {
    const path = join(project.directory, 'other.onnx')
    await Bun.write(path, addConstantModel(8))
    const outcome = await ask('upload', { authorization_token: user }, { name: 'eight', path })
    expect(outcome.error).toContain('403')
    expect(await ask('get_model', { access_token: user }, { model: 'eight' })).toMatchObject({ status: 404 })
  })
})
