import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { absenceOfRay, type RayCluster, startRayCluster } from '../support/ray-cluster.ts'
import { requireOrSkip } from '../support/requirement.ts'
import {
  call,
  makeProject,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'
import { pythonAbsence, startSynapseClient } from '../support/synapse-client.ts'
import { deployedPlugin } from './ray-deployment-project.ts'
import { type RayRun, startAsking, startRayRun } from './ray-run.ts'

/** A slash and the MD5 of the plugin's name. */
const prefix = `/${new Bun.CryptoHasher('md5').update('detector@1.0.0').digest('hex')}`

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'a deployment action',
  { timeout: 240_000 },
  () => {
    const stack = new AsyncDisposableStack()
    let cluster: RayCluster
    let project: TestProject
    let registry: TestServer
    let registryUrl: string
    let accessToken: string

    beforeAll(async () => {
      project = stack.use(await makeProject(deployedPlugin('1')))
      registry = stack.use(await startServer(project, 'serve'))
      registryUrl = `${new URL(registry.url).origin}/-/registry`
      const access = await project.run('access', 'add', '--right', 'publish', '--json')
      accessToken = JSON.parse(access.stdout).token
      cluster = stack.use(await startRayCluster({ nodes: 1 }))
    }, 240_000)
    afterAll(() => stack.disposeAsync(), 60_000)

    const run = (...args: string[]): RayRun =>
      startRayRun(project, args, {
        RAY_ADDRESS: cluster.dashboardUrl,
        SYNAPSE_HOST: registryUrl,
        SYNAPSE_ACCESS_TOKEN: accessToken,
      })
    const applications = async (): Promise<readonly string[]> => {
      const { json } = await call(`${cluster.dashboardUrl}/api/serve/applications/`, { method: 'GET' })
      return Object.keys(json.applications)
    }
    const version = async (): Promise<unknown> =>
      (await call(`${cluster.proxyUrl}${prefix}/version`, { method: 'POST' })).json?.version

    it('deploys the plugin and registers it', async () => {
      const { code, stdout, stderr } = await run('deploy', '--params', '{"num_cpus":0.5}', '--json').end()
      expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
      expect(JSON.parse(stdout)).toEqual({
        serveAppName: 'detector@1.0.0',
        routePrefix: prefix,
        deployed: true,
        serveApplication: 1,
      })
      expect(await version()).toBe('1')
      const listed = await call(`${registryUrl}/serve_applications/`, {
        method: 'GET',
        headers: { authorization: `Token ${accessToken}` },
      })
      expect(listed.json.results).toMatchObject([{ id: 1, name: 'detector@1.0.0', status: 'RUNNING' }])
      expect(stderr + listed.text).not.toContain(accessToken)
    })

    it('is reached as infer_remote reaches a plugin, and by a Synapse client', async () => {
      const params = (x: number): object => ({ model: 'five', json: { x } })
      const flags = ['--mode', 'remote', '--url', cluster.proxyUrl, '--params', JSON.stringify(params(3))]
      const { stdout, stderr } = await run('detect', ...flags).end()
      expect([stdout.trim(), stderr]).toEqual(['{"y":15,"version":"1"}', ''])
      if (pythonAbsence() !== null) return
      await using client = startSynapseClient()
      const place = { base: cluster.proxyUrl, prefix, backend_url: registryUrl, token: accessToken }
      const answer = await client.ask({ op: 'infer', ...place, params: params(4) })
      expect(answer).toMatchObject({ status: 200, json: { y: 20, version: '1' } })
    })

    it('redeploys under load, and no request fails', async () => {
      for (const [file, content] of Object.entries(deployedPlugin('2'))) await project.write(file, content)
      const load = startAsking(() => call(`${cluster.proxyUrl}${prefix}/version`, { method: 'POST' }))
      const { code, stderr } = await run('deploy', '--params', '{"num_cpus":0.5}').end()
      expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
      await until(async () => (await version()) === '2')
      const { failed, answered } = await load.end()
      expect(failed).toEqual([])
      expect(answered).toBeGreaterThan(0)
    })

    it('tells that a registration failed, and stays deployed', async () => {
      const flags = ['deploy', '--params', '{"num_cpus":0.5}', '--json']
      const environment = {
        RAY_ADDRESS: cluster.dashboardUrl,
        SYNAPSE_HOST: registryUrl,
        SYNAPSE_ACCESS_TOKEN: 'wrong',
      }
      const { code, stdout } = await startRayRun(project, flags, environment).end()
      expect([code, JSON.parse(stdout)]).toEqual([
        0,
        expect.objectContaining({ deployed: true, registrationError: expect.stringMatching(/access token/) }),
      ])
      expect(await version()).toBe('2')
    })

    it('that fails later takes away what it has deployed', async () => {
      const { code, stderr } = await run('deploy-in-vain', '--params', '{"num_cpus":0.5}').end()
      expect(code).toBe(1)
      expect(stderr).toContain('not good enough')
      await until(async () => (await applications()).every((name) => !name.startsWith('vain')))
      expect(await version()).toBe('2')
    })

    it('that is stopped while it deploys leaves nothing of it', async () => {
      const before = await applications()
      for (const [file, content] of Object.entries(deployedPlugin('3'))) await project.write(file, content)
      const stopped = run('deploy', '--params', '{"num_cpus":0.5}')
      await stopped.said(/is starting/)
      stopped.interrupt()
      expect((await stopped.end()).code).toBe(130)
      await until(async () => (await applications()).every((name) => before.includes(name)))
      expect(await version()).toBe('2')
    })

    it('says that no cluster is to be had', async () => {
      const environment = { RAY_ADDRESS: 'http://127.0.0.1:9' }
      const { code, stderr } = await startRayRun(project, ['deploy'], environment).end()
      expect(code).toBe(1)
      expect(stderr).toMatch(/No Ray cluster is to be had at http:\/\/127\.0\.0\.1:9/)
    })
  },
)
