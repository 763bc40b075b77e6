// Makes the model: `bun functions/_models/digits/train.ts` learns from the 8,000 training samples and writes
// model.onnx beside this file. With `--validate` it learns from the first 6,000 of them, tells after each epoch
// how many of the other 2,000 it reads right, and writes nothing: so were the settings chosen.

import { writeFileSync } from 'node:fs'
import { createAdam } from './adam.ts'
import { architecture, inputShape } from './architecture.ts'
import { distort } from './distortion.ts'
import { createNetwork } from './network/network.ts'
import { encodeOnnx } from './onnx.ts'
import { createRandom } from './random.ts'
import { type Sample, trainingSamples } from './samples.ts'

const seed = 1
const epochs = 25
const batchSize = 32
const peakLearningRate = 0.002
const validationCount = 2_000

const random = createRandom(seed)
const network = createNetwork(inputShape, architecture, random)
const adam = createAdam(network.parameters)

/** Learns from each sample once, distorted anew, in a new order. Returns the mean loss. */
function learnEpoch(samples: Sample[], epoch: number): number {
  const batches = Math.ceil(samples.length / batchSize)
  let loss = 0
  random.shuffle(samples)
  for (let index = 0; index < batches; index += 1) {
    const batch = samples.slice(index * batchSize, (index + 1) * batchSize)
    for (const { pixels, digit } of batch) loss += network.learn(distort(pixels, random), digit)
    adam.step(learningRateAt((epoch + index / batches) / epochs), batch.length)
  }
  return loss / samples.length
}

/** Falls from the peak to zero along half a cosine; `progress` is the share of the training that is done. */
function learningRateAt(progress: number): number {
  return (peakLearningRate * (1 + Math.cos(Math.PI * progress))) / 2
}

/** How many of the samples the network reads right. */
function countRight(samples: readonly Sample[]): number {
  return samples.filter(({ pixels, digit }) => network.classify(Float64Array.from(pixels)) === digit).length
}

const validating = process.argv.includes('--validate')
const samples = trainingSamples()
const validationSamples = validating ? samples.splice(-validationCount) : []
const startMs = performance.now()
for (let epoch = 0; epoch < epochs; epoch += 1) {
  const loss = learnEpoch(samples, epoch)
  const seconds = Math.round((performance.now() - startMs) / 1000)
  const right = validating ? `, ${countRight(validationSamples)} of ${validationCount} right` : ''
  process.stdout.write(`epoch ${epoch + 1} of ${epochs}: loss ${loss.toFixed(4)}${right}, ${seconds} s\n`)
}
if (!validating) {
  const model = encodeOnnx(network, { graph: 'digits', input: 'image', output: 'logits' })
  writeFileSync(new URL('model.onnx', import.meta.url), model)
  process.stdout.write(`wrote model.onnx, ${model.length} bytes\n`)
}
