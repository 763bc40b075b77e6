import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject, type TestServer } from '../support/server.ts'

const header = `
import { appendFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineFunction, defineInference, multiplexed } from 'isoplex'
`

/** Calls nobody: does what its input says. */
const leaf = `${header}
export default defineInference({
  access: 'public',
  input: Type.Object({ ms: Type.Optional(Type.Number()), act: Type.Optional(Type.String()) }),
  model: multiplexed(({ id }) => id, { default: 'one' }),
  async infer({ ms = 0, act }, { model, signal }) {
    if (act === 'kill') process.kill(process.pid, 'SIGKILL')
    if (act === 'hang') {
      appendFileSync(process.cwd() + '/witness', 'begun ')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      appendFileSync(process.cwd() + '/witness', 'left ')
    }
    await Bun.sleep(ms)
    return { models: [model] }
  },
})
`

/** Calls itself with each of some models in turn, and then the leaf with the last one. */
const chain = `${header}
import leaf from './leaf.ts'

const chain = defineInference({
  access: 'public',
  input: Type.Object({
    steps: Type.Array(Type.String()),
    ms: Type.Optional(Type.Number()),
    act: Type.Optional(Type.String()),
  }),
  model: multiplexed(({ id }) => id, { default: 'one' }),
  async infer({ steps, ...rest }, { model, handle }) {
    const [next, ...later] = steps
    if (next === undefined) return { models: [model] }
    const { models } =
      later.length === 0
        ? await handle(leaf, { model: next }).infer(rest)
        : await handle(chain, { model: next }).infer({ steps: later, ...rest })
    return { models: [model, ...models] }
  },
})
export default chain
`

/** Calls the leaf with several models at once. */
const fan = `${header}
import leaf from './leaf.ts'

export default defineFunction({
  access: 'public',
  input: Type.Object({ models: Type.Array(Type.String()) }),
  handler: async ({ input, handle }) =>
    (await Promise.all(input.models.map((model) => handle(leaf, { model }).infer({})))).flatMap(({ models }) => models),
})
`

/** The models that there are. */
export const modelNames = ['one', 'two', 'three', 'four'] as const

/** A project of functions that call each other. */
export function makeCallsProject(settings: Readonly<Record<string, unknown>> = {}): Promise<TestProject> {
  const models = modelNames.map((id, index) => [
    `functions/_models/${id}/model.onnx`,
    addConstantModel(index),
  ])
  return makeProject(
    {
      'functions/leaf.ts': leaf,
      'functions/chain.ts': chain,
      'functions/fan.ts': fan,
      ...Object.fromEntries(models),
    },
    { metricsAccess: 'public', ...settings },
  )
}

/** The sum of all series of a metric that begin in a certain way. */
export async function summed(server: TestServer, prefix: string): Promise<number> {
  const { text } = await server.call('/metrics')
  return text
    .split('\n')
    .filter((line) => line.startsWith(prefix))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
