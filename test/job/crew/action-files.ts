/** Function files of actions that do what actions may do. Paths among their parameters are of files of the test's. */

const header = `import { existsSync, appendFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineAction, defineInference, defineStep, IsoplexError, onnx, tensor } from 'isoplex'

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const appear = async (path) => { while (!existsSync(path)) await pause(5) }
`

/** Adds 5 to each number up to \`count\` by a model: in a session of its own, and by another function. */
const adding = `${header}
const addFive = defineInference({
  input: Type.Object({ x: Type.Number() }),
  output: Type.Number(),
  model: onnx({ default: 'five' }),
  batch: { maxSize: 8, maxDelayMs: 0 },
  async infer(inputs, { model }) {
    const { y } = await model.run({ x: tensor('float32', Float32Array.from(inputs, ({ x }) => x), [inputs.length]) })
    return [...y.toArray()]
  },
})
function* numbers(count) { for (let x = 0; x < count; x += 1) yield { x } }

export default defineAction({
  params: Type.Object({ count: Type.Integer(), by: Type.String({ default: 'session' }) }),
  result: Type.Object({ sum: Type.Number() }),
  batchSize: 10,
  async execute({ params, session, handle, infer, files, setProgress, setMetrics, log }) {
    console.log(JSON.stringify({ kind: 'ask', id: 1, question: 'finish', parameters: [] }))
    const model = await session('five')
    setProgress(1, 1, 'model_load')
    let sum = 0
    for await (const y of infer(numbers(params.count), { handle: handle(addFive), total: params.count })) sum += y
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(0), [1]) })
    setMetrics({ sum, five: y.item() })
    await files.write('sum.csv', ['sum\\n', String(sum)])
    setProgress(1, 1, 'postprocess')
    log('done', { sends: typeof process.send })
    return { sum }
  },
})
`

const streaming = `${header}
export default defineAction({
  params: Type.Object({ count: Type.Integer() }),
  result: Type.Object({ n: Type.Integer({ maximum: 5000 }) }),
  async *execute({ params }) { for (let n = 1; n <= params.count; n += 1) yield { n } },
})
`

const flooding = `${header}
export default defineAction({
  async execute({ log, setProgress }) {
    for (let n = 1; n <= 100_000; n += 1) {
      log('flood', { n })
      setProgress(n, 100_000)
    }
  },
})
`

/** Fails in the way that its parameter names. */
const failing = `${header}
const never = new Promise(() => undefined)
const ways = {
  throws: () => { throw new Error('thrown') },
  throwsOurs: () => { throw new IsoplexError('FETCH_FAILED', 'It is gone.', { details: { reason: 'status' } }) },
  throwsInTimer: () => { setTimeout(() => { throw new Error('in a timer') }, 1); return never },
  rejects: () => { Promise.reject(new Error('rejected')); return never },
  returnsOther: () => ({ n: 'x' }),
  exits: () => process.exit(3),
}
export default defineAction({
  params: Type.Object({ way: Type.String() }),
  result: Type.Object({ n: Type.Number() }),
  execute: ({ params }) => ways[params.way](),
})
`

/** Waits until it is to end, or does not listen; says on a file that it has begun. */
const waiting = `${header}
export default defineAction({
  params: Type.Object({ begun: Type.String(), deaf: Type.Boolean({ default: false }) }),
  async execute({ params, signal, logMessage }) {
    appendFileSync(params.begun, 'begun')
    if (params.deaf) for (;;);
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    logMessage('It heard ' + signal.reason.code + '.')
  },
})
`

/** Says on a file what it does, and waits in its second step, or behind its checkpoint, until there is a gate. */
const stepping = `${header}
const say = ({ params, step }, word) => appendFileSync(params.trace, step.name + ' ' + word + ' ' + step.attempt + '\\n')
const step = (name, work) => defineStep({
  name,
  async execute(context) {
    say(context, 'begins')
    context.results.push(name)
    context.processedCount += 1
    await work?.(context)
    return { data: { name }, rollbackData: { name } }
  },
  rollback: (context) => say(context, 'is undone'),
})
export default defineAction({
  params: Type.Object({ trace: Type.String(), gate: Type.String(), fails: Type.Boolean({ default: false }) }),
  steps: [
    step('one'),
    step('two', async ({ params, checkpoint, log, signal }) => {
      log('checkpoint', { value: checkpoint.value ?? null })
      await checkpoint.save('half way')
      while (!existsSync(params.gate) && !signal.aborted) await pause(5)
    }),
    step('three', async ({ params }) => { if (params.fails) throw new Error('three fails') }),
  ],
})
`

/** The files by the names of their actions. */
export const actionFiles = { adding, streaming, flooding, failing, waiting, stepping }
