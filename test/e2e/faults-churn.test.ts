import { expect, it } from 'vitest'
import { type Reply, until } from '../support/server.ts'
import { startChurnServer, untilAnswered } from './churn-project.ts'
import { replicasOf, startLoad } from './crash-project.ts'

it('replicas that are killed again and again while models load cost no request, and are counted', async () => {
  await using scene = await startChurnServer(['--replicas', '2'])
  const { server, counted } = scene
  const admin = (await scene.project.run('access', 'add', '--right', 'admin')).stdout.trim()
  const churn = scene.startChurn()
  // Whoever looks on meanwhile is always answered.
  const looks = startLoad(1, async (count): Promise<Reply> => {
    if (count % 2 === 0) return server.call('/metrics')
    const reply = await server.call('/-/replicas', { headers: { authorization: `Bearer ${admin}` } })
    expect(reply.json.replicas.length).toBeLessThanOrEqual(8)
    return reply
  })
  for (let round = 0; round < 6; round += 1) {
    await untilAnswered(churn, 20)
    const [victim] = await replicasOf(server)
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
  }
  await untilAnswered(churn, 50)
  await Promise.all([churn.stop(), looks.stop()])
  expect(churn.failures).toEqual([])
  expect(looks.failures).toEqual([])
  expect(await counted('replica_restart_total', /reason="(crashed|start)"/)).toBeGreaterThanOrEqual(3)
  expect(await counted('inference_request_rerun_total', /reason="crashed"/)).toBeGreaterThan(0)
  expect(await counted('model_departure_total', /reason="crashed"/)).toBeGreaterThan(0)
  expect(await counted('inference_request_success_total')).toBe(churn.answered)
  expect(await counted('inference_request_failure_total')).toBe(0)
}, 40_000)

it.each([
  ['loads', '--max-replica-loads', '8', 3],
  ['memory', '--max-replica-bytes', '1000000', 1],
] as const)(
  'replicas that are replaced for their %s cost no request',
  async (reason, flag, limit, times) => {
    await using scene = await startChurnServer(['--replicas', '1', flag, limit])
    const churn = scene.startChurn()
    await until(async () => {
      const replaced = await scene.counted('replica_restart_total', new RegExp(`reason="${reason}"`))
      return replaced >= times || churn.failures.length > 0
    })
    await until(async () => (await scene.counted('model_departure_total', /reason="replaced"/)) > 0)
    await untilAnswered(churn, 50)
    await churn.stop()
    expect(churn.failures).toEqual([])
  },
  40_000,
)
