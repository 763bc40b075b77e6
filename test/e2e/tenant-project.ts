import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type Reply, startServer, type TestProject, type TestServer } from '../support/server.ts'

/** Does what its input says; it takes one request at a time. */
const acting = `
import { existsSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

export default defineInference({
  access: 'public',
  input: Type.Object({ act: Type.Optional(Type.String()) }),
  model: multiplexed(({ id }) => id, { default: 'one' }),
  async infer({ act }, { model }) {
    if (act === 'kill') process.kill(process.pid, 'SIGKILL')
    if (act?.startsWith('hold')) while (!existsSync(act)) await Bun.sleep(5)
    return { model }
  },
})
`

/** Two functions, `acting` and `other`, that do what they are asked, by the models `one` and `two`. */
export interface TenantServer extends AsyncDisposable {
  readonly project: TestProject
  readonly server: TestServer
  /** Asks in the name of a tenant, or of nobody. */
  ask(asking: Asking): Promise<Reply>
  /** What the metrics say of one series; 0 where it is not there. */
  counted(series: string): Promise<number>
}

/** What is asked of whom. */
export interface Asking {
  readonly tenant?: string
  readonly model?: string
  /** `kill` ends the replica; what begins with `hold` waits until there is a file of that name. */
  readonly act?: string
  readonly path?: string
}

/** Starts a server with the tenants `bad` and `good`. */
export async function startTenantServer(...limits: readonly string[]): Promise<TenantServer> {
  const project = await makeProject({
    'functions/acting.ts': acting,
    'functions/other.ts': acting,
    'functions/_models/one/model.onnx': addConstantModel(1),
    'functions/_models/two/model.onnx': addConstantModel(2),
  })
  for (const tenant of ['bad', 'good']) await project.run('tenants', 'add', tenant)
  const flags = ['--replicas', '1', '--metrics-access', 'public', ...limits]
  const server = await startServer(project, 'serve', flags)
  return {
    project,
    server,
    async ask({ tenant, model = 'one', act, path = '/acting' }) {
      const token = tenant === undefined ? {} : { token: await server.token(model, tenant) }
      return server.call(path, { json: { act }, ...token })
    },
    async counted(series) {
      const { text } = await server.call('/metrics')
      const line = text.split('\n').find((each) => each.startsWith(`isoplex_${series} `))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}
