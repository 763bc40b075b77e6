import { expect } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type Reply, startServer, type TestServer, until } from '../support/server.ts'
import { type Load, startLoad } from './crash-project.ts'

/** More models than one replica holds at a time; each adds what it is called. */
export const models: readonly number[] = [1, 2, 3, 4, 5]

/** A server whose models come and go. */
export interface ChurnServer extends AsyncDisposable {
  readonly server: TestServer
  readonly project: Awaited<ReturnType<typeof makeProject>>
  /** Asks a model to add to a number. */
  ask(model: number, x: number): Promise<Reply>
  /** Asks every model in turn, in so many loops; an answer of another model is a failure. */
  startChurn(loops?: number): Load
  /** The sum of the series of a metric whose labels match. */
  counted(metric: string, labels?: RegExp): Promise<number>
}

/** Starts a server, `serve` with metrics that are open to anybody unless told otherwise. */
export async function startChurnServer(
  flags: readonly string[] = [],
  { mode = 'serve' as const, settings = {} }: { mode?: 'serve' | 'dev'; settings?: object } = {},
): Promise<ChurnServer> {
  const files = models.map((model) => [`functions/_models/${model}/model.onnx`, addConstantModel(model)])
  const project = await makeProject(
    { 'functions/add.ts': adding, ...Object.fromEntries(files) },
    { metricsAccess: 'public', ...settings },
  )
  const server = await startServer(project, mode, flags)
  const tokens = new Map<number, string>()
  for (const model of models) tokens.set(model, await server.token(String(model)))
  const ask = (model: number, x: number): Promise<Reply> =>
    server.call('/add', { json: { x }, token: tokens.get(model) ?? '' })
  return {
    server,
    project,
    ask,
    startChurn: (loops = 4) =>
      startLoad(loops, async (count) => {
        const model = models[count % models.length] ?? 1
        const reply = await ask(model, count)
        if (reply.status === 200 && reply.json.y !== count + model) throw new Error(`wrong: ${reply.text}`)
        return reply
      }),
    async counted(metric, labels = /.*/) {
      const { status, text } = await server.call('/metrics')
      expect(status).toBe(200)
      return text
        .split('\n')
        .filter((line) => line.startsWith(`isoplex_${metric}{`) && labels.test(line))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}

/** Waits for so many more answers. */
export async function untilAnswered(load: Load, more: number): Promise<void> {
  const before = load.answered
  await until(() => load.answered >= before + more || load.failures.length > 0)
}
