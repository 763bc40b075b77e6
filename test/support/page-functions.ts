/** Functions that may run in pages, for projects of tests. */

/**
 * Adds what its model holds, in the page or on the server, and says which model did. With `hold`, it asks for that URL
 * first, and goes on once it is answered.
 */
export const pageAdding = `import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'

export default defineInference({
  runs: ['server', 'browser'],
  access: 'public',
  input: Type.Object({ x: Type.Number(), hold: Type.Optional(Type.String()) }),
  output: Type.Object({ y: Type.Number(), model: Type.String() }),
  model: onnx({ default: 'five', inputs: ['x'], outputs: ['y'] }),
  async infer({ x, hold }, { model, modelId }) {
    if (hold !== undefined) await (await fetch(hold)).text()
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(x), [1]) })
    return { y: Number(y.item()), model: modelId }
  },
})
`

/** Without a model: says where it is, and throws what its input asks for. */
export const pageFailing = `import { Type } from '@sinclair/typebox'
import { defineFunction, IsoplexError } from 'isoplex'

export default defineFunction({
  access: 'public',
  runs: ['server', 'browser'],
  input: Type.Object({ fail: Type.Union([Type.Literal('no'), Type.Literal('input'), Type.Literal('page')]) }),
  handler({ input: { fail } }) {
    const inPage = !('Bun' in globalThis)
    if (fail === 'input') {
      const issues = [{ path: '/fail', message: 'is a thing that fails' }]
      throw new IsoplexError('INPUT_INVALID', 'It was asked to fail.', { details: { issues } })
    }
    if (fail === 'page' && inPage) throw new Error('It cannot do that in a page.')
    return { inPage }
  },
})
`
