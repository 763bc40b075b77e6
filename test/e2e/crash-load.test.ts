import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { addConstantModel, garbageBytes } from '../support/onnx-models.ts'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { makeCrashProject, replicasOf, startMixedLoad } from './crash-project.ts'

/** Comes up as the model's id says. */
const loading = `
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

export default defineInference({
  input: Type.Object({}),
  model: multiplexed(async ({ id }) => {
    if (id === 'kills') process.kill(process.pid, 'SIGKILL')
    if (id === 'never') for (;;);
    return id
  }),
  infer: (_, { model }) => ({ model }),
})
`

/** Comes up in one way or another, or not. */
const setup = (does: string) => `
import { defineFunction } from 'isoplex'

export default defineFunction({ access: 'public', setup: () => { ${does} }, handler: () => 'up' })
`

let project: TestProject
let server: TestServer

beforeAll(async () => {
  const names = ['kills', 'never', 'sound']
  const models = names.map((id) => [`functions/_models/${id}/model.onnx`, addConstantModel(1)])
  project = await makeCrashProject(
    {
      ...Object.fromEntries(models),
      'functions/loading.ts': loading,
      'functions/exits.ts': setup('process.exit(0)'),
      'functions/throws.ts': setup("throw new Error('a secret of the developer')"),
      'functions/_models/garbage/model.onnx': garbageBytes(),
    },
    { loadTimeoutMs: 4_000 },
  )
  server = await startServer(project, 'serve', ['--replicas', '2'])
})
// The spare is one of them.
beforeEach(() => until(async () => (await replicasOf(server)).length === 3))
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

it.each([
  ['kills', /^Model "kills" ended its process while function "loading" loaded it\.$/],
  ['never', /^Model "never" did not come up within 4000 ms while function "loading" loaded it\.$/],
])('tells that a model cannot be loaded, and why, while others go on: %s', async (model, detail) => {
  const load = startMixedLoad(server)
  await until(() => load.answered > 20)
  const [bad, sound] = await Promise.all(
    [model, 'sound'].map(async (id) => server.call('/loading', { json: {}, token: await server.token(id) })),
  )
  expect(bad).toMatchObject({
    status: 502,
    json: { code: 'MODEL_BROKEN', detail: expect.stringMatching(detail) },
  })
  expect(sound).toMatchObject({ status: 200, json: { model: 'sound' } })
  const startedMs = performance.now()
  const again = await server.call('/loading', { json: {}, token: await server.token(model) })
  expect([again.status, performance.now() - startedMs < 200]).toEqual([502, true])
  await load.stop()
  expect(load.failures).toEqual([])
})

it('tells that a model file is garbage, and keeps the replica', async () => {
  const before = await replicasOf(server)
  const reply = await server.call('/add', { json: { x: 1 }, token: await server.token('garbage') })
  expect(reply).toMatchObject({ status: 502, json: { code: 'MODEL_BROKEN', model: expect.any(String) } })
  expect((await server.call('/add', { json: { x: 1 } })).json).toEqual({ y: 2 })
  expect(await replicasOf(server)).toEqual(before)
})

it.each(['exits', 'throws'])('tells that a function does not come up, and hides why: %s', async (name) => {
  const before = await replicasOf(server)
  const reply = await server.call(`/${name}`)
  expect(reply).toMatchObject({ status: 500, json: { code: 'FUNCTION_BROKEN' } })
  expect(reply.text).not.toContain('secret')
  if (name === 'throws') await until(() => server.log().includes('a secret of the developer'))
  expect(await replicasOf(server)).toEqual(before)
})
