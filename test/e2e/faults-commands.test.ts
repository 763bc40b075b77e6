import { expect, it } from 'vitest'
import { models, startChurnServer, untilAnswered } from './churn-project.ts'

it('models that are loaded, pinned and unloaded by command under load cost no request', async () => {
  await using scene = await startChurnServer(['--replicas', '2'])
  const { project } = scene
  const churn = scene.startChurn()
  await untilAnswered(churn, 50)
  for (const model of models.slice(0, 2).map(String)) {
    for (const command of [['load'], ['pin'], ['unload'], ['load', '--pin'], ['unpin'], ['unload']]) {
      const [name = '', ...flags] = command
      const ended = await project.run('models', name, model, ...flags)
      expect([command, ended.code, ended.stderr]).toEqual([command, 0, ''])
    }
  }
  expect((await project.run('ps')).code).toBe(0)
  await untilAnswered(churn, 50)
  await churn.stop()
  expect(churn.failures).toEqual([])
  expect(await scene.counted('model_departure_total', /reason="unload"/)).toBeGreaterThan(0)
}, 40_000)
