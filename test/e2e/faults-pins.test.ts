import { describe, expect, it } from 'vitest'
import { until } from '../support/server.ts'
import { startChurnServer, untilAnswered } from './churn-project.ts'
import { replicasOf } from './crash-project.ts'

const pinned = 5

describe('a pinned model', () => {
  it('stays while others come and go', async () => {
    await using scene = await startChurnServer(['--replicas', '1', '--pinned-models', String(pinned)])
    const label = new RegExp(`model="${pinned}"`)
    await until(async () => (await scene.counted('model_resident_count', label)) === 1)
    const churn = scene.startChurn()
    while (churn.failures.length === 0 && (await scene.counted('model_departure_total')) < 20)
      expect(await scene.counted('model_resident_count', label)).toBe(1)
    await churn.stop()
    expect(churn.failures).toEqual([])
    expect(await scene.counted('model_departure_total', label)).toBe(0)
    expect(await scene.counted('model_load_total', label)).toBe(1)
  })

  it('is there again after its replica was killed, without a failed request', async () => {
    await using scene = await startChurnServer(['--replicas', '1', '--pinned-models', String(pinned)])
    const { server, counted } = scene
    const label = new RegExp(`model="${pinned}"`)
    await until(async () => (await counted('model_resident_count', label)) === 1)
    const churn = scene.startChurn(2)
    await untilAnswered(churn, 20)
    for (const pid of await replicasOf(server)) process.kill(pid, 'SIGKILL')
    await untilAnswered(churn, 20)
    await churn.stop()
    await until(async () => (await counted('model_resident_count', label)) === 1)
    expect(churn.failures).toEqual([])
  })
})

describe('where only pinned models hold the places', () => {
  const limits = ['--replicas', '1', '--max-models-per-replica', '2', '--pinned-models', '1,2']

  it('another is refused, until one is unpinned', async () => {
    await using scene = await startChurnServer(limits)
    await until(async () => (await scene.counted('model_resident_count')) === 2)
    const refused = await scene.ask(3, 0)
    expect(refused).toMatchObject({ status: 503, json: { code: 'ROOM_TAKEN' } })
    expect(refused.json.detail).toMatch(/"3".*"add"/)
    expect((await scene.ask(1, 1)).json).toMatchObject({ y: 2 })
    expect((await scene.ask(2, 1)).json).toMatchObject({ y: 3 })
    const load = await scene.project.run('models', 'load', '3')
    expect(load).toMatchObject({ code: 1, stderr: expect.stringContaining('pinned') })
    expect(await scene.counted('model_departure_total')).toBe(0)
    expect((await scene.project.run('models', 'unpin', '2')).code).toBe(0)
    expect((await scene.ask(3, 1)).json).toMatchObject({ y: 4 })
    expect(await scene.counted('model_departure_total', /model="2".*reason="count"/)).toBe(1)
  })
})
