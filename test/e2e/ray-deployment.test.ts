import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { absenceOfRay, type RayCluster, startRayCluster } from '../support/ray-cluster.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { call, makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { pythonAbsence, startSynapseClient } from '../support/synapse-client.ts'
import { deployedPlugin } from './ray-deployment-project.ts'

/** The MD5 of `detector@1.0.0`. */
const prefix = `/${new Bun.CryptoHasher('md5').update('detector@1.0.0').digest('hex')}`

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'a deployment action',
  { timeout: 240_000 },
  () => {
    const stack = new AsyncDisposableStack()
    let cluster: RayCluster
    let project: TestProject
    let registry: TestServer
    let accessToken: string
    let registryUrl: string

    beforeAll(async () => {
      project = stack.use(await makeProject(deployedPlugin('1')))
      registry = stack.use(await startServer(project, 'serve'))
      registryUrl = `${new URL(registry.url).origin}/-/registry`
      const access = await project.run('access', 'add', '--right', 'publish', '--json')
      accessToken = JSON.parse(access.stdout).token
      cluster = stack.use(await startRayCluster())
    }, 240_000)
    afterAll(() => stack.disposeAsync(), 60_000)

    const environmentOf = (): Readonly<Record<string, string>> => ({
      RAY_ADDRESS: cluster.dashboardUrl,
      SYNAPSE_HOST: registryUrl,
      SYNAPSE_ACCESS_TOKEN: accessToken,
    })
    const run = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
      const child = startRun(...args)
      const [stdout, stderr, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ])
      return { code, stdout, stderr }
    }
    const startRun = (...args: string[]) =>
      Bun.spawn([process.execPath, join(import.meta.dir, '../../runtime/cli/main.ts'), 'run', ...args], {
        cwd: project.directory,
        env: { ...process.env, ...environmentOf() },
        stdout: 'pipe',
        stderr: 'pipe',
      })
    it('deploys the plugin and registers it', async () => {
      const { code, stdout, stderr } = await run('deploy', '--params', '{"num_cpus":0.5}', '--json')
      expect([code, stderr.includes('"code"') ? stderr : '']).toEqual([0, ''])
      expect(JSON.parse(stdout)).toEqual({
        serveAppName: 'detector@1.0.0',
        routePrefix: prefix,
        deployed: true,
        serveApplication: 1,
      })
      expect((await call(`${cluster.proxyUrl}${prefix}/version`, { method: 'POST' })).json).toEqual({
        version: '1',
      })
      const listed = await call(`${registryUrl}/serve_applications/`, {
        method: 'GET',
        headers: { authorization: `Token ${accessToken}` },
      })
      expect(listed.json.results).toMatchObject([{ id: 1, name: 'detector@1.0.0', status: 'RUNNING' }])
      expect(stderr + JSON.stringify(listed.json)).not.toContain(accessToken)
    })

    it('is reached as infer_remote reaches a plugin', async () => {
      const params = JSON.stringify({ model: 'five', json: { x: 3 } })
      const { code, stdout, stderr } = await run(
        'detect',
        '--mode',
        'remote',
        '--url',
        cluster.proxyUrl,
        '--params',
        params,
      )
      expect([code, stderr]).toEqual([0, ''])
      expect(JSON.parse(stdout)).toEqual({ y: 15, version: '1' })
    })

    it.runIf(pythonAbsence() === null)('is reached by a Synapse client', async () => {
      await using client = startSynapseClient()
      const answer = await client.ask({
        op: 'infer',
        base: cluster.proxyUrl,
        prefix,
        backend_url: registryUrl,
        token: accessToken,
        params: { model: 'five', json: { x: 4 } },
      })
      expect(answer).toMatchObject({ status: 200, json: { y: 20, version: '1' } })
    })
  },
)
