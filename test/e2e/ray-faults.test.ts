import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../support/process-table.ts'
import { absenceOfRay } from '../support/ray-cluster.ts'
import {
  longestGapMs,
  type MixedRayLoad,
  mixedClients,
  startMixedRayLoad,
  startRayLoad,
  wronged,
} from '../support/ray-load.ts'
import type { RayProcess } from '../support/ray-processes.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { until } from '../support/server.ts'
import { parentOf, type RayScene, routePrefix, startRayScene } from './ray-project.ts'

/** What may become of a request whose gate has died: Ray's proxy answers for it, and says no more than this. */
const gateGone: ReadonlySet<number> = new Set([500, 503])

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'deaths on Ray Serve',
  { timeout: 200_000 },
  () => {
    let scene: RayScene

    beforeAll(async () => {
      scene = await startRayScene()
      await scene.deploy('--replicas', '2')
    }, 240_000)

    afterAll(async () => await scene?.[Symbol.asyncDispose](), 60_000)

    /** Ends a process under load, and waits until all kinds of requests are answered again. */
    async function kill(victims: readonly RayProcess[]): Promise<MixedRayLoad['outcomes']> {
      expect(victims.length).toBeGreaterThan(0)
      await using load = await startMixedRayLoad(scene.ask)
      const atMs = performance.now()
      for (const { pid } of victims) process.kill(pid, 'SIGKILL')
      await load.more(10)
      await load.stop()
      const outcomes = Object.values(load.outcomes).flat()
      const gapMs = longestGapMs(outcomes, atMs)
      process.stderr.write(`${expect.getState().currentTestName}: no answer for ${Math.round(gapMs)} ms\n`)
      expect(outcomes.filter(({ code }) => code === 'HUNG')).toEqual([])
      return load.outcomes
    }

    it('of an isoplex process cost nothing that can be run again', async () => {
      const [victim, ...rest] = await scene.isoplex('replica')
      expect(rest.length).toBeGreaterThan(0)
      expect(wronged(await kill(victim ? [victim] : []))).toEqual([])
      await expectNoOrphans(scene)
    })

    it('of the isoplex of a gate cost nothing', async () => {
      const [victim] = await scene.isoplex('gate')
      const ended = await kill(victim ? [victim] : [])
      expect(Object.values(ended).flatMap((all) => all.filter(({ status }) => status !== 200))).toEqual([])
      await expectNoOrphans(scene)
    })

    it('of a worker of Ray cost nothing that can be run again, and take its isoplex along', async () => {
      const [victim] = await scene.workers('Replica')
      expect(wronged(await kill(victim ? [victim] : []))).toEqual([])
      await until(
        async () =>
          (await scene.workers('Replica')).length === 2 && (await scene.isoplex('replica')).length === 2,
      )
      await expectNoOrphans(scene)
    })

    it('of a gate break no more than what it had under way', async () => {
      const [victim] = await scene.workers('Gate')
      const ended = await kill(victim ? [victim] : [])
      const failed = Object.values(ended).flatMap((all) => all.filter(({ status }) => status !== 200))
      expect(failed.length).toBeLessThanOrEqual(2 * mixedClients)
      expect(failed.filter(({ status, code }) => !gateGone.has(status) && code === '')).toEqual([])
      await until(async () => (await scene.workers('Gate')).length === 2)
      await expectNoOrphans(scene)
    })

    it('of a machine leave the rest answering', async () => {
      const before = await scene.isoplex('replica')
      await using load = await startMixedRayLoad(scene.ask)
      const atMs = performance.now()
      await scene.cluster.killSecondNode()
      await load.more(20)
      await load.stop()
      const outcomes = Object.values(load.outcomes).flat()
      process.stderr.write(
        `a machine's death: no answer for ${Math.round(longestGapMs(outcomes, atMs))} ms\n`,
      )
      expect(outcomes.filter(({ code }) => code === 'HUNG')).toEqual([])
      await until(async () => (await scene.isoplex('replica')).length === before.length)
      await expectNoOrphans(scene)
    })

    it('are none where replicas come under load', async () => {
      await scene.deploy('--replicas', '1:2')
      const load = startRayLoad(12, () => scene.ask('slow', { ms: 200 }))
      await until(() => isScaled(scene))
      await load.more(50)
      expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([])
    })
  },
)

/** Whether the version that serves has two replicas. */
async function isScaled({ cluster }: RayScene): Promise<boolean> {
  const reply = await fetch(`${cluster.dashboardUrl}/api/serve/applications/`)
  type Replicas = {
    deployments: Record<string, { replicas: { state: string }[] }>
    route_prefix: string | null
  }
  const { applications }: { applications: Record<string, Replicas> } = await reply.json()
  const serving = Object.values(applications).find(({ route_prefix }) => route_prefix === routePrefix)
  const replicas = serving?.deployments.IsoplexReplica?.replicas ?? []
  return replicas.filter(({ state }) => state === 'RUNNING').length === 2
}

/** Every isoplex has a worker of Ray above it. */
async function expectNoOrphans(scene: RayScene): Promise<void> {
  const processes = [...(await scene.isoplex('gate')), ...(await scene.isoplex('replica'))]
  for (const { pid } of processes) {
    const parent = await parentOf(pid)
    if (parent === null) continue
    expect(parent).toBeGreaterThan(1)
    expect(isAlive(parent)).toBe(true)
  }
}
