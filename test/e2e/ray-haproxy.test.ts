import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { absenceOfRay } from '../support/ray-cluster.ts'
import { startRayLoad } from '../support/ray-load.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { until } from '../support/server.ts'
import { models, type RayScene, routePrefix, startRayScene } from './ray-project.ts'

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'functions behind HAProxy',
  { timeout: 120_000 },
  () => {
    let scene: RayScene

    beforeAll(async () => {
      scene = await startRayScene({ nodes: 1, haproxy: true })
      await scene.deploy('--replicas', '2')
      // HAProxy learns of new routes a little later than Ray tells of them.
      await until(async () => (await scene.ask('version', {})).status === 200)
    }, 600_000)

    afterAll(async () => await scene?.[Symbol.asyncDispose](), 60_000)

    it('answer, with the model of the token, where it is loaded', async () => {
      for (const model of models) expect((await scene.ask('which', { x: 0 }, model)).json.id).toBe(model)
      let fresh = 0
      let sent = 0
      const load = startRayLoad(8, async () => {
        sent += 1
        const reply = await scene.ask('which', { x: sent }, models[sent % models.length])
        if (reply.json?.uses === 1) fresh += 1
        return reply
      })
      await load.more(200)
      const outcomes = await load.stop()
      expect(outcomes.filter(({ status }) => status !== 200)).toEqual([])
      expect(fresh / outcomes.length).toBeLessThanOrEqual(0.05)
    })

    it('stream, and hear that the client has left', async () => {
      const left = join(scene.project.directory, 'haproxy-left')
      const leaving = new AbortController()
      const response = await fetch(`${scene.cluster.proxyUrl}${routePrefix}/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ms: 50, count: 1_000, left }),
        signal: leaving.signal,
      })
      const reader = response.body?.getReader()
      expect((await reader?.read())?.value?.length).toBeGreaterThan(0)
      leaving.abort()
      await until(() => Bun.file(left).exists())
    })

    it('hear that a client has left before its answer', async () => {
      const [begun, left] = ['begun', 'left'].map((name) =>
        join(scene.project.directory, `haproxy-slow-${name}`),
      )
      const leaving = new AbortController()
      const answer = fetch(`${scene.cluster.proxyUrl}${routePrefix}/slow`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ms: 20_000, begun, left }),
        signal: leaving.signal,
      })
      await until(() => Bun.file(begun ?? '').exists())
      leaving.abort()
      await answer.catch(() => undefined)
      await until(() => Bun.file(left ?? '').exists())
    })
  },
)
