import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { type RayCluster, type RayClusterSettings, startRayCluster } from '../support/ray-cluster.ts'
import type { RayProcess } from '../support/ray-processes.ts'
import { call, makeProject, type Reply, type TestProject } from '../support/server.ts'

/** A project, and the cluster on which it is deployed. */
export interface RayScene extends AsyncDisposable {
  readonly cluster: RayCluster
  readonly project: TestProject
  /** Runs `isoplex deploy` for this cluster; throws with what it said where it fails. */
  deploy(...flags: string[]): Promise<Readonly<Record<string, unknown>>>
  /** Runs `isoplex deploy` where it is to fail, and gives the error as programs read it. */
  deployBadly(...flags: string[]): Promise<{ readonly code: string; readonly message: string }>
  /** Calls a function with JSON through Ray's proxy, for a model with a token that was never used before. */
  ask(name: string, json: unknown, model?: string): Promise<Reply>
  /** A token that was never used before. */
  token(model: string): Promise<string>
  /** The isoplex processes that run now: those of gates hold no replicas. */
  isoplex(role: 'gate' | 'replica'): Promise<readonly RayProcess[]>
  /** Ray's workers of a deployment. */
  workers(role: 'Gate' | 'Replica'): Promise<readonly RayProcess[]>
}

/** Where the routes of the project begin. */
export const routePrefix = '/iso'
/** The models of the project. */
export const models: readonly string[] = ['one', 'two', 'three', 'four']

/** Says which version it is; `slow` waits, `once` must not run twice, and `stream` counts until nobody listens. */
export function rayFunctions(version: string): Readonly<Record<string, string>> {
  const head = `import { Type } from '@sinclair/typebox'\n`
  return {
    'functions/version.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({ method: 'POST', access: 'public', handler: () => ({ version: '${version}' }) })`,
    'functions/which.ts': `${head}import { defineInference, multiplexed } from 'isoplex'
export default defineInference({
  input: Type.Object({ x: Type.Number() }),
  model: multiplexed(async ({ id }) => ({ id, instance: crypto.randomUUID(), uses: 0 })),
  async infer({ x }, { model }) {
    model.uses += 1
    return { x, id: model.id, instance: model.instance, uses: model.uses }
  },
})`,
    'functions/slow.ts': slow('slow', true),
    'functions/once.ts': slow('once', false),
    'functions/stream.ts': `${head}import { defineFunction } from 'isoplex'
export default defineFunction({
  method: 'POST',
  access: 'public',
  input: Type.Object({ ms: Type.Integer(), count: Type.Integer(), left: Type.Optional(Type.String()) }),
  async *handler({ input, signal }) {
    if (input.left) signal.addEventListener('abort', () => void Bun.write(input.left, 'left'))
    for (let count = 1; count <= input.count && !signal.aborted; count += 1) {
      yield { count }
      await Bun.sleep(input.ms)
    }
  },
})`,
  }
}

function slow(name: string, idempotent: boolean): string {
  return `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  method: 'POST',
  access: 'public',
  idempotent: ${idempotent},
  input: Type.Object({ ms: Type.Integer(), left: Type.Optional(Type.String()), begun: Type.Optional(Type.String()) }),
  async handler({ input, signal }) {
    if (input.begun) await Bun.write(input.begun, 'begun')
    if (input.left) signal.addEventListener('abort', () => void Bun.write(input.left, 'left'))
    await Bun.sleep(input.ms)
    return { name: '${name}' }
  },
})`
}

/** Starts a cluster, and makes a project of which nothing is deployed yet. */
export async function startRayScene(settings: RayClusterSettings = {}): Promise<RayScene> {
  await using stack = new AsyncDisposableStack()
  const files = models.map((model, index) => [
    `functions/_models/${model}/model.onnx`,
    addConstantModel(index),
  ])
  const project = stack.use(await makeProject({ ...rayFunctions('1'), ...Object.fromEntries(files) }))
  const cluster = stack.use(await startRayCluster(settings))
  const run = (flags: readonly string[]): ReturnType<TestProject['run']> =>
    project.run(
      'deploy',
      '--address',
      cluster.dashboardUrl,
      '--route-prefix',
      routePrefix,
      '--json',
      ...flags,
    )
  // The key is made at the first need, and wanted before the server that would need it.
  await project.run('token', '--model', 'one')
  const [key] = await loadProjectKeys(join(project.directory, '.isoplex'))
  let made = 0
  const token = (model: string): Promise<string> => {
    made += 1
    return createModelToken(key, { model, tenant: null, expiresInSeconds: 600 + made })
  }
  const find = async (pattern: RegExp): Promise<readonly RayProcess[]> =>
    (await cluster.processes()).filter(({ command }) => pattern.test(command))
  const owned = stack.move()
  return {
    cluster,
    project,
    token,
    async deploy(...flags) {
      const { code, stdout, stderr } = await run(flags)
      if (code !== 0) throw new Error(`${stderr}\n${await cluster.logs()}`)
      return JSON.parse(stdout)
    },
    async deployBadly(...flags) {
      const { code, stdout, stderr } = await run(flags)
      if (code === 0) throw new Error(`It was deployed: ${stdout}`)
      return JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error
    },
    async ask(name, json, model) {
      const options = model === undefined ? { json } : { json, token: await token(model) }
      return await call(`${cluster.proxyUrl}${routePrefix}/${name}`, options)
    },
    isoplex: (role) => find(role === 'gate' ? /^\S*bun\S* .*--replicas 0/ : /^\S*bun\S* .*--replicas [1-9]/),
    workers: (role) => find(new RegExp(`^ray::ServeReplica:\\S+:Isoplex${role}`)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The parent of a process; `null` where it has ended. */
export async function parentOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null || /\) [ZX] /.test(stat)) return null
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}
