/** Function files for projects of tests. */

/** A public function without input that answers with a text. */
export function saying(text: string): string {
  return `import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => ({ text: ${JSON.stringify(text)} }) })
`
}

/** An inference function that adds what its model holds, and says which version of the model did. */
export const adding = `import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'

export default defineInference({
  input: Type.Object({ x: Type.Number() }, { examples: [{ x: 1 }] }),
  model: onnx({ default: 'five', inputs: ['x'], outputs: ['y'] }),
  async infer({ x }, { model, modelId, modelInfo }) {
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(x), [1]) })
    return { y: Number(y.item()), model: modelId, version: modelInfo.version, note: modelInfo.note ?? null }
  },
})
`
