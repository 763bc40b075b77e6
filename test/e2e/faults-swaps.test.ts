import { expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { startChurnServer, untilAnswered } from './churn-project.ts'

it('a function with models that is edited again and again under load costs no request', async () => {
  await using scene = await startChurnServer(['--replicas', '2'], { mode: 'dev' })
  const churn = scene.startChurn()
  await untilAnswered(churn, 50)
  const { project, server } = scene
  for (let edit = 1; edit <= 6; edit += 1) {
    await project.write('functions/add.ts', adding.replace('note: modelInfo.note ?? null', `note: ${edit}`))
    await server.event((event) => event.event === 'live' && server.events.filter(isLive).length >= edit)
    expect((await scene.ask(1, 1)).json).toMatchObject({ y: 2, note: edit })
    await untilAnswered(churn, 20)
  }
  await churn.stop()
  expect(churn.failures).toEqual([])
  expect(await scene.counted('model_departure_total', /reason="stale"/)).toBeGreaterThan(0)
}, 40_000)

const isLive = ({ event }: Readonly<Record<string, unknown>>): boolean => event === 'live'

it('SIGTERM while models load and requests wait costs no request', async () => {
  await using scene = await startChurnServer(['--replicas', '2'])
  const churn = scene.startChurn(16)
  await untilAnswered(churn, 20)
  const ended = scene.server.end('SIGTERM')
  while ((await scene.server.call('/readyz')).status !== 503);
  await churn.stop()
  expect(await ended).toBe(0)
  expect(churn.failures).toEqual([])
})
