import { expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, until } from '../support/server.ts'
import { replicasOf, startLoad } from './crash-project.ts'

const ids = ['kills', 'exits', 'throws-later', 'd', 'e']

/** One model at a time, which comes up and goes as the two pieces of code say. */
const alone = (load: string, unload: string) => `
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

export default defineInference({
  input: Type.Object({}),
  model: multiplexed(async ({ id }) => { ${load}; return id }, { maxModelsPerReplica: 1, unload: (id) => { ${unload} } }),
  infer: (_, { model }) => ({ model }),
})
`

const deadly = `
  if (id === 'kills') process.kill(process.pid, 'SIGKILL')
  if (id === 'exits') process.exit(1)
  if (id === 'throws-later') setTimeout(() => { throw new Error('thrown later') })
`

function makeAloneProject(load: string, unload: string): Promise<TestProject> {
  return makeProject({
    'functions/alone.ts': alone(load, unload),
    'functions/beside.ts': alone('', ''),
    ...Object.fromEntries(ids.map((id) => [`functions/_models/${id}/model.onnx`, addConstantModel(1)])),
  })
}

it('models that end their thread or their replica when they are unloaded cost no request', async () => {
  await using project = await makeAloneProject('', deadly)
  await using server = await startServer(project, 'serve', ['--replicas', '2'])
  const tokens = await Promise.all(ids.map((id) => server.token(id)))
  const churn = startLoad(3, (count) =>
    server.call('/alone', { json: {}, token: tokens[count % ids.length] ?? '' }),
  )
  const beside = startLoad(3, () => server.call('/beside', { json: {}, token: tokens[0] ?? '' }))
  await until(() => churn.answered + churn.failures.length > 25)
  await Promise.all([churn.stop(), beside.stop()])
  expect(churn.failures).toEqual([])
  expect(beside.failures).toEqual([])
  expect(beside.answered).toBeGreaterThan(0)
  await until(() => server.log().includes('A replica died'))
}, 40_000)

it.runIf(process.platform === 'linux')(
  'a replica that is stopped while it loads costs no request',
  async () => {
    await using project = await makeAloneProject('await Bun.sleep(150)', '')
    await using server = await startServer(project, 'serve', ['--replicas', '2'])
    const tokens = await Promise.all(ids.map((id) => server.token(id)))
    const churn = startLoad(ids.length, (count) =>
      server.call('/alone', { json: {}, token: tokens[count % ids.length] ?? '' }),
    )
    await until(() => churn.answered > ids.length)
    const [victim = 0] = await replicasOf(server)
    process.kill(victim, 'SIGSTOP')
    await until(async () => !(await replicasOf(server)).includes(victim))
    const before = churn.answered
    await until(() => churn.answered > before + ids.length)
    await churn.stop()
    expect(churn.failures).toEqual([])
  },
  40_000,
)
