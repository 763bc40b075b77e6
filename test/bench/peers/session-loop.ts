/**
 * `session.run` in a loop with nothing around it, on one thread, fed from memory: what a model could do on a core.
 * The argument is the model's name; each message asks for one loop and is answered with the requests per second.
 */
import { InferenceSession } from 'onnxruntime-node'
import { type ModelCase, type ModelCaseName, modelCases, sampleOf } from '../model-case.ts'
import type { LoopOrder } from '../session-loops.ts'

const model: ModelCase = modelCases[process.argv[2] as ModelCaseName]
const session = await InferenceSession.create(model.path, { intraOpNumThreads: 1 })
const numbers = Float32Array.from(sampleOf(model))

process.on('message', async ({ batch, seconds }: LoopOrder) => {
  const feeds = model.feedsOf(Array.from({ length: batch }, () => numbers))
  const startedMs = performance.now()
  let [runs, elapsedMs] = [0, 0]
  while (elapsedMs < seconds * 1_000) {
    await session.run(feeds)
    runs += 1
    elapsedMs = performance.now() - startedMs
  }
  process.send?.((runs * batch * 1_000) / elapsedMs)
})
process.send?.('ready')
