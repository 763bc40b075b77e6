import { fileURLToPath } from 'node:url'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createProjectKey, type ProjectKey } from '../../runtime/auth/project-key.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { newNodeKey } from '../support/nodes.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { type RayCluster, startRayCluster } from '../support/ray-cluster.ts'
import { installRayPython } from '../support/ray-python.ts'
import { makeProject, startServer, type TestProject, until } from '../support/server.ts'
import { readFunction, readModel } from './bench-files.ts'
import { modelCases } from './model-case.ts'
import { processMicroseconds } from './process-time.ts'

/** One way to what answers. */
export interface RaySide {
  readonly url: string
  /** A token for a model, never used before. */
  token(model: string): Promise<string>
}

/** A cluster of two nodes with isoplex and with plain Ray Serve on it, and a gateway of isoplex over the same nodes. */
export interface RayScaleScene extends AsyncDisposable {
  /** isoplex, through Ray's proxy. */
  readonly proxy: RaySide
  /** isoplex, through `isoplex gateway --ray`. */
  readonly gateway: RaySide
  /** `ray/app.py`, through Ray's proxy. */
  readonly plain: RaySide
  /** Processor time that all of it has taken so far, in microseconds. */
  microseconds(): Promise<number>
}

/** Small models, for which the replicas have room all at once. */
export const heldModels: readonly string[] = ['red', 'green', 'blue', 'gray']

const sources = fileURLToPath(new URL('ray', import.meta.url))
const [ownPrefix, plainPrefix] = ['/iso', '/plain']
const replicas = 2
const gates = 2

/**
 * Starts the cluster, deploys plain Ray Serve and then isoplex by `isoplex deploy`, and waits until all answer.
 *
 * @throws {Error} where there is no Python 3.11, or something does not come up; with the end of its log.
 */
export async function startRayScaleScene(): Promise<RayScaleScene> {
  const python = await installRayPython(`${sources}/requirements.txt`)
  await using stack = new AsyncDisposableStack()
  const project = stack.use(await makeProject(await readFiles()))
  const cluster = stack.use(await startRayCluster({ python }))
  const secret = crypto.randomUUID()
  await deployPlain(cluster, secret)
  await deployOwn(cluster, project)
  const gateway = stack.use(
    await startServer(project, 'gateway', [
      ...['--ray', cluster.dashboardUrl, '--node-key-file', 'node.key'],
      ...['--route-prefix', ownPrefix],
    ]),
  )
  await until(async () => {
    const { json } = await gateway.call('/readyz')
    return json?.replicas.ready.length === replicas
  })
  const [ownKey] = await loadProjectKeys(`${project.directory}/.isoplex`)
  const plainKey = await createProjectKey(new TextEncoder().encode(secret))
  const owned = stack.move()
  return {
    proxy: sideOf(cluster.proxyUrl + ownPrefix, ownKey),
    gateway: sideOf(new URL(gateway.url).origin + ownPrefix, ownKey),
    plain: sideOf(cluster.proxyUrl + plainPrefix, plainKey),
    async microseconds() {
      const pids = [gateway.pid, ...(await cluster.processes()).map(({ pid }) => pid)]
      const times = await Promise.all(pids.map((pid) => processMicroseconds(pid).catch(() => 0)))
      return times.reduce((sum, time) => sum + time, 0)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function readFiles(): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const names = ['noop', 'vad', 'detection-tensor', 'held']
  const functions = names.map(async (name) => [`functions/${name}.ts`, await readFunction(name)])
  const held = heldModels.map((name, index) => [
    `functions/_models/${name}/model.onnx`,
    addConstantModel(index),
  ])
  return {
    ...Object.fromEntries([...(await Promise.all(functions)), ...held]),
    'functions/_models/vad/model.onnx': await readModel('vad'),
    'functions/_models/detection/model.onnx': await readModel('detection'),
    'node.key': newNodeKey(),
  }
}

async function deployOwn({ dashboardUrl, logs }: RayCluster, project: TestProject): Promise<void> {
  // The key is made at the first need.
  await project.run('token', '--model', 'vad')
  const { code, stderr } = await project.run(
    ...['deploy', '--address', dashboardUrl, '--route-prefix', ownPrefix, '--replicas', String(replicas)],
    ...['--node-address', '127.0.0.1:0', '--node-key-file', 'node.key', '--json'],
  )
  if (code !== 0) throw new Error(`${stderr}\n${await logs()}`)
}

/** Puts it as the only application: so it comes before isoplex, which leaves others as they are. */
async function deployPlain({ dashboardUrl, proxyUrl, logs }: RayCluster, secret: string): Promise<void> {
  const url = `${dashboardUrl}/api/serve/applications/`
  const { hostname, port } = new URL(proxyUrl)
  const models = { vad: modelCases.vad.path, detection: modelCases.detection.path }
  const application = {
    name: 'plain',
    route_prefix: plainPrefix,
    import_path: 'app:build',
    args: { models, secret, gates, replicas },
    runtime_env: { env_vars: { PYTHONPATH: sources } },
  }
  const reply = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      proxy_location: 'HeadOnly',
      http_options: { host: hostname, port: Number(port) },
      applications: [application],
    }),
  })
  if (!reply.ok) throw new Error(`Ray Serve took no application: ${reply.status} ${await reply.text()}`)
  await until(async () => {
    const { applications } = (await (await fetch(url)).json()) as {
      readonly applications: Readonly<Record<string, { readonly status: string; readonly message: string }>>
    }
    const { status, message } = applications.plain ?? {}
    if (status === 'DEPLOY_FAILED' || status === 'UNHEALTHY') throw new Error(`${message}\n${await logs()}`)
    return status === 'RUNNING'
  })
}

function sideOf(url: string, key: ProjectKey): RaySide {
  let made = 0
  return {
    url,
    token(model) {
      made += 1
      return createModelToken(key, { model, tenant: null, expiresInSeconds: 3_600 + made })
    },
  }
}
