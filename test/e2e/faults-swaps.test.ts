import { expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { makeProject, startServer, until } from '../support/server.ts'
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

/** Never answers; it takes one request at a time, so that others wait. */
const hanging = `
import { defineFunction } from 'isoplex'

export default defineFunction({ access: 'public', maxOngoingRequests: 1, handler: () => new Promise(() => {}) })
`

it('SIGTERM answers what cannot be finished in time, be it running or waiting', async () => {
  const settings = { shutdownGraceMs: 100, shutdownTimeoutMs: 2_000 }
  await using project = await makeProject({ 'functions/hanging.ts': hanging }, settings)
  await using server = await startServer(project, 'serve', ['--replicas', '1'])
  const requests = Array.from({ length: 5 }, () => server.call('/hanging'))
  await until(async () => (await server.call('/readyz')).json.replicas.ready[0]?.runners === 1)
  expect(await server.end('SIGTERM')).toBe(0)
  for (const reply of await Promise.all(requests)) {
    expect(reply).toMatchObject({ status: 503, json: { code: 'DRAINING' } })
    expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  }
})
