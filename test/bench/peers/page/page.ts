/** The page beside the worker: it reads the first digit as soon as it is there. */
import seven from '../../../../functions/_examples/seven.json' with { type: 'json' }
import type { ReadReply, ReadRequest, StartRequest } from './message.ts'

const parameters = new URLSearchParams(location.search)
const worker = new Worker('worker.js', { type: 'module' })
const pixels = Float32Array.from(seven)

/** Reads so many digits. */
function read(count: number): Promise<ReadReply> {
  return new Promise((resolve) => {
    worker.addEventListener('message', ({ data }) => resolve(data), { once: true })
    worker.postMessage({ pixels, count } satisfies ReadRequest)
  })
}

const start: StartRequest = {
  modelUrl: parameters.get('model') ?? '',
  onnxModule: parameters.get('module') ?? '',
  onnxWasm: parameters.get('wasm') ?? '',
}
worker.postMessage(start)
const { logits } = await read(1)
const digit = logits.indexOf(Math.max(...logits))
Object.assign(globalThis, { firstAnswer: { digit, elapsedMs: performance.now() }, read })
