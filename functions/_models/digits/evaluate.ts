// Judges the model: `bun functions/_models/digits/evaluate.ts` runs model.onnx in onnxruntime-node over the
// 2,000 held-out samples, which the training never reads, and tells how many digits it reads right.

import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { indexOfLargest } from './network/network.ts'
import { heldOutSamples, imageSide } from './samples.ts'

const samples = heldOutSamples()
const session = await InferenceSession.create(fileURLToPath(new URL('model.onnx', import.meta.url)))
const pixels = Float32Array.from(samples.flatMap((sample) => sample.pixels))
const image = new Tensor('float32', pixels, [samples.length, 1, imageSide, imageSide])
const { logits } = await session.run({ image })
if (!(logits?.data instanceof Float32Array)) throw new Error('The model has no float32 output `logits`.')

const rows = logits.data
const right = samples.filter(
  ({ digit }, index) => indexOfLargest(rows.subarray(10 * index, 10 * index + 10)) === digit,
)
const percent = ((100 * right.length) / samples.length).toFixed(2)
process.stdout.write(`${right.length} of ${samples.length} right: ${percent} %\n`)
await session.release()
