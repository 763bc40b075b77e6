import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject } from '../support/server.ts'

const header = `
import { Type } from '@sinclair/typebox'
import {
  bind, defineFunction, defineGraph, defineInference, derive, each, handle, input, IsoplexError, multiplexed, onnx, tensor, when,
} from 'isoplex'
`

/** Adds what its model holds, and says where it ran. */
const add = `${header}
import { threadId } from 'node:worker_threads'

export default defineInference({
  access: 'public',
  input: Type.Object({ x: Type.Number() }),
  output: Type.Object({ y: Type.Number(), model: Type.String(), at: Type.String() }),
  model: onnx({ default: 'one', inputs: ['x'], outputs: ['y'] }),
  async infer({ x }, { model, modelId }) {
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(x), [1]) })
    return { y: Number(y.item()), model: modelId, at: process.pid + '.' + threadId }
  },
})
`

/** Says with how many others it was asked. */
const together = `${header}
export default defineInference({
  access: 'public',
  input: Type.Number(),
  output: Type.Object({ x: Type.Number(), together: Type.Integer() }),
  model: multiplexed(() => null, { default: 'one' }),
  batch: { maxSize: 4, maxDelayMs: 0 },
  infer: (inputs) => inputs.map((x) => ({ x, together: inputs.length })),
})
`

/** Takes a text of at most three characters, and fails in many ways. */
const check = `${header}
let tries = 0

export default defineFunction({
  access: 'public',
  input: Type.Object({ text: Type.String({ maxLength: 3 }), how: Type.Optional(Type.String()) }),
  output: Type.String({ maxLength: 4 }),
  handler: async ({ input: { text, how }, signal }) => {
    if (how === 'long') return 'too long'
    if (how === 'throw') throw new Error('a secret')
    if (how === 'pass' && ++tries % 3 !== 0) throw new IsoplexError('REPLICA_CRASHED', 'It may pass.')
    if (how === 'hang') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    return text + '.'
  },
})
`

/** Three models in a row and side by side. */
const sum = `${header}
import add from './add.ts'

const asked = input(Type.Object({ x: Type.Number() }))
const one = bind(add, { x: asked.x })
const ten = bind(handle(add, { model: 'ten' }), { x: one.y }, { name: 'ten' })
const hundred = bind(handle(add, { model: 'hundred' }), { x: one.y }, { name: 'hundred' })
const again = bind(handle(add, { model: 'ten' }), { x: ten.y }, { name: 'again' })

export default defineGraph({
  access: 'public',
  description: 'Adds with three models.',
  input: asked,
  output: Type.Object({ sum: Type.Number(), models: Type.Array(Type.String()), at: Type.Array(Type.String()) }),
  answer: derive([one, ten, hundred, again], (all) => ({
    sum: all.reduce((sum, { y }) => sum + y, 0),
    models: all.map(({ model }) => model),
    at: [...new Set(all.map(({ at }) => at))],
  })),
})
`

/** A condition, a fan-out, and tensors and files on the way. */
const many = `${header}
import add from './add.ts'
import together from './together.ts'

const asked = input(Type.Object({ xs: Type.Array(Type.Number()), wide: Type.Boolean() }))
const shifted = when(
  asked.wide,
  () => derive(bind(add, each(asked.xs, (x) => ({ x }))), (all) => all.map(({ y }) => y)),
  () => asked.xs,
)

export default defineGraph({
  access: 'public',
  input: asked,
  output: Type.Array(Type.Object({ x: Type.Number(), together: Type.Integer() })),
  answer: bind(together, each(shifted)),
})
`

/** Its node may fail in every way, and what becomes of that is said by the graph. */
const strict = `${header}
import check from './check.ts'

const asked = input(Type.Object({ text: Type.String(), how: Type.Optional(Type.String()) }))
export default defineGraph({ access: 'public', timeoutMs: 2000, input: asked, answer: bind(check, asked) })
`
const lenient = strict
  .replace('bind(check, asked)', "bind(check, asked, { retries: 2, fallback: 'spare' })")
  .replace('timeoutMs: 2000, ', '')

/** Asks another graph, whose models are held with its own. */
const outer = `${header}
import sum from './sum.ts'

const asked = input(Type.Object({ x: Type.Number() }))
const inner = bind(sum, asked)
export default defineGraph({ access: 'public', input: asked, answer: { twice: derive(inner.sum, (sum) => 2 * sum), at: inner.at } })
`

/** Files and tensors go in and out, and from node to node as they are. */
const tensors = `${header}
import vector from './vector.ts'
import double from './double.ts'

const asked = input(Type.Object({ bytes: vector.input }))
export default defineGraph({ access: 'public', input: asked, output: double.output, answer: bind(double, bind(vector, asked.bytes)) })
`
const vector = `${header}
import { file, tensorOf } from 'isoplex'
export default defineFunction({
  access: 'public',
  input: file(),
  output: tensorOf('float32', ['n']),
  handler: ({ input }) => tensor('float32', Float32Array.from(input.bytes), [input.bytes.length]),
})
`
const double = `${header}
import { tensorOf } from 'isoplex'
export default defineFunction({
  access: 'public',
  input: tensorOf('float32', ['n']),
  output: tensorOf('float32', ['n']),
  handler: ({ input }) => tensor('float32', input.data.map((value) => 2 * value), input.dims),
})
`

/** Streams what a node streams. */
const told = `${header}
import count from './count.ts'
const asked = input(Type.Object({ to: Type.Integer() }))
export default defineGraph({ access: 'public', input: asked, output: Type.Integer(), answer: bind(count, derive(asked.to, (to) => ({ to: to + 1 }))) })
`
const count = `${header}
export default defineFunction({
  access: 'public',
  input: Type.Object({ to: Type.Integer() }),
  output: Type.Integer(),
  async *handler({ input: { to } }) {
    for (let number = 1; number <= to; number += 1) yield number
  },
})
`

/** A project with graphs, their functions and their models. */
export function makeGraphProject(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestProject> {
  const usual = {
    add,
    together,
    check,
    sum,
    many,
    strict,
    lenient,
    outer,
    vector,
    double,
    tensors,
    told,
    count,
  }
  const functions = Object.entries(usual).map(([name, text]) => [`functions/${name}.ts`, text])
  const models = {
    'functions/_models/one/model.onnx': addConstantModel(1),
    'functions/_models/ten/model.onnx': addConstantModel(10, 4_000_000),
    'functions/_models/hundred/model.onnx': addConstantModel(100),
  }
  return makeProject({ ...Object.fromEntries(functions), ...models, ...files }, settings)
}
