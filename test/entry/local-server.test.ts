import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../runtime/client/client.ts'
import { type LocalServer, openLocalServer } from '../../runtime/entry/local-server.ts'
import { localToken } from '../../runtime/entry/local-token.ts'
import { adding, saying } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject } from '../support/server.ts'
import { gatewayOptions } from './gateway-options.ts'

let project: TestProject
let server: LocalServer
const changes: string[] = []

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/say.ts': saying('hello'),
    'functions/broken.ts': 'export default 1 +',
    'functions/_models/five/model.onnx': addConstantModel(5),
    'functions/_models/7/model.onnx': addConstantModel(7),
  })
  server = await openLocalServer({
    ...gatewayOptions(project, 'dev', { port: 1 }),
    onModels: (models) => changes.push(...models.map(({ id }) => id)),
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

function clientOf(token: string | null = null) {
  return createClient({ baseUrl: server.origin, token, fetch: (url, init) => server.fetch(url, init) })
}

it('knows the functions, the broken ones too, and registers the models', () => {
  expect(server.manifest.functions.map(({ name }) => name)).toEqual(['add', 'say'])
  expect(server.manifest.broken.map(({ file }) => file)).toEqual(['functions/broken.ts'])
  expect(changes.toSorted()).toEqual(['7', 'five'])
})

describe('a call', () => {
  it('is answered with the default model', async () => {
    expect(await clientOf().add?.infer({ x: 1 })).toMatchObject({ output: { y: 6, model: 'five' } })
  })

  it('is answered with any model that is named', async () => {
    const { output } = (await clientOf(localToken({ model: '7', tenant: null })).add?.infer({ x: 1 })) ?? {}
    expect(output).toMatchObject({ y: 8, model: '7' })
  })

  it('reaches functions without a model', async () => {
    expect(await clientOf().say?.call()).toMatchObject({ output: { text: 'hello' } })
  })

  it('fails as on any other server', async () => {
    await expect(clientOf().add?.infer({ x: 'a' })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(clientOf().nothing?.call()).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  })

  it('with a token of another kind is refused', async () => {
    await expect(clientOf('not-made-for-it').add?.infer({ x: 1 })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    })
  })
})

it('leaves nothing open', async () => {
  const other = await openLocalServer(gatewayOptions(project, 'dev'))
  await other[Symbol.asyncDispose]()
  const asking = createClient({
    baseUrl: other.origin,
    retries: 0,
    fetch: (url, init) => other.fetch(url, init),
  })
  await expect(asking.add?.infer({ x: 1 })).rejects.toMatchObject({ code: expect.any(String) })
})
