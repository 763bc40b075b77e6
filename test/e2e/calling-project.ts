/** Functions that call each other, by their files. The model `five` adds 5, `two` adds 2, both to float32 `x`. */
export const callingFunctions = {
  'functions/add.ts': `
import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor, tensorOf } from 'isoplex'
export default defineInference({
  input: Type.Object({ x: tensorOf('float32', ['n']) }),
  output: Type.Object({ y: tensorOf('float32', ['n']), model: Type.String(), asked: Type.String() }),
  model: onnx({ default: 'five', inputs: ['x'], outputs: ['y'] }),
  async infer({ x }, { model, modelId, principal }) {
    return { y: (await model.run({ x })).y, model: modelId, asked: principal }
  },
})
`,
  'functions/sum.ts': `
import { Type } from '@sinclair/typebox'
import { defineFunction, tensor } from 'isoplex'
import add from './add.ts'
export default defineFunction({
  access: 'public',
  query: Type.Object({ many: Type.Optional(Type.Integer()) }),
  input: Type.Object({ x: Type.Array(Type.Number()), model: Type.Optional(Type.String()) }),
  async handler({ input, query, handle, requestId }) {
    const adding = handle(add, input.model === undefined ? {} : { model: input.model })
    const x = tensor('float32', Float32Array.from(input.x), [input.x.length])
    const answers = await Promise.all(Array.from({ length: query.many ?? 1 }, () => adding.infer({ x })))
    return answers.map(({ y, model, asked }) => ({ y: [...y.data], type: y.type, model, asked, requestId }))
  },
})
`,
  'functions/all.ts': `
import { Type } from '@sinclair/typebox'
import { defineFunction, tensor } from 'isoplex'
import add from './add.ts'
export default defineFunction({
  access: 'public',
  input: Type.Object({ count: Type.Integer(), take: Type.Integer() }),
  async handler({ input: { count, take }, handle }) {
    const seen: number[] = []
    let asked = 0
    function* inputs() {
      for (asked = 0; asked < count; asked += 1) yield { x: tensor('float32', Float32Array.of(asked), [1]) }
    }
    for await (const { y } of handle(add).inferAll(inputs())) {
      seen.push(y.data[0] ?? -1)
      if (seen.length === take) break
    }
    return { seen, asked }
  },
})
`,
  'functions/turn/[way].ts': `
import { Type } from '@sinclair/typebox'
import { defineInference, file, fileValue, multiplexed } from 'isoplex'
export default defineInference({
  params: Type.Object({ way: Type.String() }),
  query: Type.Object({ times: Type.Integer({ default: 1 }) }),
  input: Type.Object({ picture: file({ mediaTypes: ['image/*'] }), note: Type.String() }),
  output: Type.Object({ pictures: Type.Array(file({ mediaTypes: ['image/*'] })), note: Type.String() }),
  model: multiplexed(({ id }) => id, { default: 'two' }),
  infer: ({ picture, note }, { params, query }) => ({
    pictures: Array.from({ length: query.times }, () =>
      fileValue(params.way === 'back' ? picture.bytes.toReversed() : picture.bytes, picture.mediaType, picture.name)),
    note,
  }),
})
`,
  'functions/pictures.ts': `
import { defineFunction, file, fileValue } from 'isoplex'
import turn from './turn/[way].ts'
export default defineFunction({
  access: 'public',
  method: 'POST',
  async handler({ handle }) {
    const picture = fileValue(Uint8Array.of(1, 2, 3), 'image/png', 'a.png')
    const { pictures, note } = await handle(turn).call({
      params: { way: 'back' },
      query: { times: 2 },
      input: { picture, note: 'ünïcode' },
    })
    return { pictures: pictures.map(({ bytes, mediaType, name }) => [[...bytes], mediaType, name]), note }
  },
})
`,
  'functions/count.ts': `
import { appendFileSync, existsSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed, tensor, tensorOf } from 'isoplex'
export default defineInference({
  input: Type.Object({ to: Type.Integer(), log: Type.String(), wait: Type.Optional(Type.Boolean()), fail: Type.Optional(Type.Boolean()) }),
  output: Type.Object({ n: tensorOf('int64', []) }),
  model: multiplexed(() => null, { default: 'two' }),
  async *infer({ to, log, wait, fail }, { signal }) {
    appendFileSync(log, 'begun\\n')
    try {
      for (let n = 0; n < to; n += 1) yield { n: tensor('int64', BigInt64Array.of(BigInt(n)), []) }
      if (fail) throw new Error('secret')
      if (wait) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    } finally {
      appendFileSync(log, signal.aborted ? 'aborted\\n' : 'ended\\n')
    }
  },
})
`,
  'functions/counting.ts': `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
import count from './count.ts'
export default defineFunction({
  access: 'public',
  input: Type.Object({ to: Type.Integer(), log: Type.String(), wait: Type.Optional(Type.Boolean()), take: Type.Optional(Type.Integer()), timeoutMs: Type.Optional(Type.Number()), fail: Type.Optional(Type.Boolean()) }),
  async handler({ input: { take, timeoutMs, ...input }, handle }) {
    let sum = 0n
    let read = 0
    for await (const { n } of await handle(count).infer(input, timeoutMs === undefined ? {} : { timeoutMs })) {
      sum += n.data[0] ?? 0n
      read += 1
      if (read === take) break
    }
    return Number(sum)
  },
})
`,
  'functions/odd.ts': `
import { Type } from '@sinclair/typebox'
import { type Definition, defineFunction, defineInference, type FunctionHandle, type FunctionTypes, IsoplexError, multiplexed } from 'isoplex'
import fails from './fails.ts'
import add from './add.ts'
type Plain = Definition & FunctionTypes<unknown, unknown, { how: string }, unknown>
const unnamed = defineInference({ input: Type.Any(), model: multiplexed(() => null, { default: 'two' }), infer: () => 1 })
let kept: FunctionHandle<unknown, unknown> | null = null
const odd: Plain = defineFunction({
  access: 'public',
  input: Type.Object({ how: Type.String() }),
  async handler({ input: { how }, handle }): Promise<unknown> {
    if (how === 'unknown') return await handle(unnamed).infer({})
    if (how === 'recursion') return await handle(odd).infer({ how })
    if (how === 'input') return await handle(add as unknown as Plain).infer({ how })
    if (how === 'deadline') return await handle(fails).infer({ how: 'hang' }, { timeoutMs: 100 })
    if (how === 'keep') kept = handle(fails)
    if (how === 'late') return await kept?.infer({ how: 'code' })
    if (how === 'keep') return 'kept'
    return await handle(fails).infer({ how })
  },
})
export default odd
`,
  'functions/fails.ts': `
import { Type } from '@sinclair/typebox'
import { type Definition, defineInference, type FunctionTypes, IsoplexError, multiplexed } from 'isoplex'
type Plain = Definition & FunctionTypes<unknown, unknown, { how: string }, unknown>
const fails: Plain = defineInference({
  input: Type.Object({ how: Type.String() }),
  output: Type.Number(),
  model: multiplexed(() => null, { default: 'two' }),
  async infer({ how }, { handle, signal }): Promise<number> {
    if (how === 'code') throw new IsoplexError('URL_REFUSED', 'Not there.', { details: { reason: 'host' } })
    if (how === 'deep') return await handle(fails, { model: 'five' }).infer({ how }) as number
    if (how === 'hang') await new Promise((resolve) => signal.addEventListener('abort', resolve))
    if (how === 'throw') throw new Error('secret')
    return 'no number' as never
  },
})
export default fails
`,
}
