import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { absenceOfRay } from '../support/ray-cluster.ts'
import { startRayLoad } from '../support/ray-load.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { call, startServer, until } from '../support/server.ts'
import { models, type RayScene, rayFunctions, routePrefix, startRayScene } from './ray-project.ts'

const asks = 200

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'functions on Ray Serve',
  { timeout: 240_000 },
  () => {
    let scene: RayScene

    beforeAll(async () => {
      scene = await startRayScene()
      await scene.deploy('--replicas', '2')
    }, 600_000)

    afterAll(async () => await scene?.[Symbol.asyncDispose](), 60_000)

    it('answer as they do on one machine', async () => {
      await using server = await startServer(scene.project, 'serve', ['--route-prefix', routePrefix])
      const requests = [
        { path: '/version' },
        { path: '/which', json: { x: 1.5 }, token: await scene.token('two') },
        { path: '/which', json: { x: 'no number' }, token: await scene.token('two') },
        { path: '/which', json: { x: 1 } },
        { path: '/which', json: { x: 1 }, token: 'eyJhbGciOiJIUzI1NiJ9.e30.nothing' },
        { path: '/which', json: { x: 1 }, token: await scene.token('nobody') },
        { path: '/nowhere', json: {} },
        { path: '/version', method: 'DELETE' },
        { path: '/version', method: 'OPTIONS' },
        { path: '/slow?a=%2F', json: { ms: 1 } },
        { path: '/stream', json: { ms: 1, count: 3 }, headers: { accept: 'text/event-stream' } },
      ]
      for (const { path, method = 'POST', ...request } of requests) {
        const [here, there] = await Promise.all(
          [server.url.replace(/\/iso$/, ''), scene.cluster.proxyUrl].map((origin) =>
            call(`${origin}${routePrefix}${path}`, { method, ...request }),
          ),
        )
        expect([path, there?.status, withoutChance(there?.text)]).toEqual([
          path,
          here?.status,
          withoutChance(here?.text),
        ])
        for (const name of ['content-type', 'allow', 'www-authenticate'])
          expect(there?.headers.get(name)).toBe(here?.headers.get(name))
      }
    })

    it('show the paths of the server itself below the prefix', async () => {
      const list = await call(`${scene.cluster.proxyUrl}${routePrefix}/-/routes`)
      expect(list.json.routes.map(({ path }: { path: string }) => path)).toContain(`${routePrefix}/which`)
      expect((await call(`${scene.cluster.proxyUrl}${routePrefix}/readyz`)).status).toBe(200)
    })

    it.each([1, 8, 32])(
      'find the replica that has the model, with a fresh token each time, at %i clients',
      async (clients) => {
        for (const model of models) expect((await scene.ask('which', { x: 0 }, model)).status).toBe(200)
        let sent = 0
        let hits = 0
        const client = async (): Promise<void> => {
          while (sent < asks) {
            sent += 1
            const { status, json } = await scene.ask('which', { x: sent }, models[sent % models.length])
            expect(status).toBe(200)
            if (json.uses > 1) hits += 1
          }
        }
        await Promise.all(Array.from({ length: clients }, client))
        process.stderr.write(`affinity at ${clients} clients: ${hits} of ${sent}\n`)
        expect(hits / sent).toBeGreaterThanOrEqual(0.95)
      },
    )

    it('stream at their own pace', async () => {
      const response = await fetch(`${scene.cluster.proxyUrl}${routePrefix}/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ms: 100, count: 8 }),
      })
      const pieces: string[] = []
      for await (const piece of response.body ?? []) pieces.push(new TextDecoder().decode(piece))
      expect(pieces.join('').trim().split('\n')).toHaveLength(8)
      expect(pieces.length).toBeGreaterThan(3)
    })

    it.each(['slow', 'stream'])('hear that the client of %s has left', async (name) => {
      const [begun, left] = ['begun', 'left'].map((what) => join(scene.project.directory, `${name}-${what}`))
      const leaving = new AbortController()
      const answer = fetch(`${scene.cluster.proxyUrl}${routePrefix}/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(name === 'slow' ? { ms: 20_000, begun, left } : { ms: 50, count: 1_000, left }),
        signal: leaving.signal,
      })
      if (name === 'slow') await until(() => Bun.file(begun ?? '').exists())
      else await (await answer).body?.getReader().read()
      leaving.abort()
      await answer.catch(() => undefined)
      await until(() => Bun.file(left ?? '').exists())
    })

    it('are replaced under load without a failed request, and go back', async () => {
      const load = startRayLoad(4, () => scene.ask('version', {}))
      const slow = startRayLoad(2, () => scene.ask('slow', { ms: 300 }))
      await load.more(20)
      for (const [file, content] of Object.entries(rayFunctions('2')))
        await scene.project.write(file, content)
      await scene.deploy('--replicas', '2')
      await until(async () => (await scene.ask('version', {})).json.version === '2')
      await load.more(20)
      await scene.deploy('--rollback')
      await until(async () => (await scene.ask('version', {})).json.version === '1')
      await load.more(20)
      const failed = [...(await load.stop()), ...(await slow.stop())].filter(({ status }) => status !== 200)
      expect(failed).toEqual([])
    })

    it('stay where a version does not come up, which is never routed, with one replica too', async () => {
      await scene.deploy('--rollback')
      await until(async () => (await scene.ask('version', {})).json.version === '2')
      const load = startRayLoad(2, () => scene.ask('version', {}))
      await load.more(5)
      const error = await scene.deployBadly(
        '--replicas',
        '1',
        '--cluster-state',
        join(scene.project.directory, 'empty'),
      )
      expect(error.code).toBe('DEPLOY_FAILED')
      expect(error.message).toContain('has no key')
      await load.more(20)
      expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([])
      expect((await scene.ask('version', {})).json).toEqual({ version: '2' })
    })

    it('say what the cluster lacks, and who has a route', async () => {
      const lacking = await scene.deployBadly('--num-gpus', '1')
      expect([lacking.code, lacking.message]).toEqual([
        'RESOURCES_MISSING',
        expect.stringContaining('gpus: 1 x 1'),
      ])
      await scene.project.write('package.json', JSON.stringify({ name: 'other-app', type: 'module' }))
      const taken = await scene.deployBadly()
      expect([taken.code, taken.message]).toEqual(['ROUTE_TAKEN', expect.stringContaining('test-app-')])
      await scene.project.write(
        'package.json',
        JSON.stringify({ name: 'test-app', version: '1.2.3', type: 'module' }),
      )
    })

    it('leave the cluster with nothing running, and others as they are', async () => {
      const { dashboardUrl } = scene.cluster
      expect((await scene.project.run('undeploy', '--address', dashboardUrl)).code).toBe(0)
      await until(async () => (await scene.ask('version', {})).status === 404)
      await until(
        async () => (await scene.isoplex('gate')).length + (await scene.isoplex('replica')).length === 0,
      )
    })
  },
)

/** What differs between two runs of one request. */
function withoutChance(text = ''): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'id')
    .replace(/urn:isoplex:request:[\w-]+/g, 'urn')
}
