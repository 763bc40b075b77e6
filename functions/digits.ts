import { Type } from '@sinclair/typebox'
import { defineInference, onnx, type Tensor, tensor } from 'isoplex'
import seven from './_examples/seven.json' with { type: 'json' }

/** A handwritten digit, 28 by 28, as in MNIST: white ink on black, 0 to 1, row by row. */
const Picture = Type.Object(
  { pixels: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), { minItems: 784, maxItems: 784 }) },
  { examples: [{ pixels: seven }] },
)

const Reading = Type.Object({
  digit: Type.Integer({ minimum: 0, maximum: 9 }),
  /** The probability of each digit. */
  scores: Type.Array(Type.Number(), { minItems: 10, maxItems: 10 }),
})

export default defineInference({
  description: 'Reads a handwritten digit of 28 by 28 pixels.',
  input: Picture,
  output: Reading,
  runs: ['server', 'browser'],
  model: onnx({ default: 'digits', inputs: ['image'], outputs: ['logits'] }),
  batch: { maxSize: 32, maxDelayMs: 2 },
  warmup: [{ pixels: seven }],
  async infer(inputs, { model }) {
    const pixels = Float32Array.from(inputs.flatMap((input) => input.pixels))
    const { logits } = await model.run({ image: tensor('float32', pixels, [inputs.length, 1, 28, 28]) })
    return logits.rows().map(toReading)
  },
})

function toReading(logits: Tensor): { digit: number; scores: number[] } {
  const values = logits.toArray().map(Number)
  const largest = Math.max(...values)
  const weights = values.map((value) => Math.exp(value - largest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return { digit: values.indexOf(largest), scores: weights.map((weight) => weight / total) }
}
