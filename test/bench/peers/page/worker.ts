/**
 * Digits read in a page's worker by ONNX Runtime and nothing else, as one would write it by hand: the runtime compiles
 * from the stream, and HTTP keeps it and the model for the next visit.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm'
import type { ReadReply, ReadRequest, StartRequest } from './message.ts'

const { promise: session, resolve: loaded, reject: failed } = Promise.withResolvers<InferenceSession>()

addEventListener('message', ({ data }: MessageEvent<StartRequest | ReadRequest>) => {
  if ('modelUrl' in data) load(data).then(loaded, failed)
  else void read(data).then((reply) => postMessage(reply))
})

async function load({ modelUrl, onnxModule, onnxWasm }: StartRequest): Promise<InferenceSession> {
  env.wasm.wasmPaths = { mjs: onnxModule, wasm: onnxWasm }
  env.wasm.numThreads = 1
  const reply = await fetch(modelUrl)
  return await InferenceSession.create(await reply.bytes(), { executionProviders: ['wasm'] })
}

async function read({ pixels, count }: ReadRequest): Promise<ReadReply> {
  const reader = await session
  const image = new Tensor('float32', pixels, [1, 1, 28, 28])
  const runMs: number[] = []
  let logits = new Float32Array()
  for (let turn = 0; turn < count; turn += 1) {
    const startedMs = performance.now()
    const outputs = await reader.run({ image })
    runMs.push(performance.now() - startedMs)
    logits = outputs.logits?.data as Float32Array<ArrayBuffer>
  }
  return { logits: [...logits], runMs }
}
