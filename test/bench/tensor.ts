import { encode, type ModelBytes, value } from '../support/onnx-graph.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median, takeTurns } from './figure.ts'
import { startFunctionServer } from './function-server.ts'
import { type LoadOutcome, sendLoad } from './load.ts'

const dims = [1, 3, 224, 224]
const connections = 8

/** What a picture's numbers cost as bytes, beside the same in JSON, there and back. */
export async function* measureTensor({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  const { rounds, seconds } = quick ? { rounds: 1, seconds: 2 } : { rounds: 5, seconds: 4 }
  await using server = await startFunctionServer({
    functions: ['identity'],
    models: { identity: identityModel() },
  })
  const load = (type: string, body: string | Uint8Array) => (): Promise<LoadOutcome> => {
    const headers = { 'content-type': type, accept: type }
    return sendLoad({ url: `${server.url}/identity`, connections, seconds, headers, body })
  }
  const data = pictureData()
  const json = JSON.stringify({ type: 'float32', dims, data: Array.from(data) })
  const bytes = new Uint8Array(data.buffer)
  const { binary, text } = await takeTurns({
    name: 'tensor',
    rounds,
    sides: { binary: load('application/octet-stream', bytes), text: load('application/json', json) },
  })
  const rates = (outcomes: readonly LoadOutcome[]): number[] =>
    outcomes.map(({ requestsPerSecond }) => requestsPerSecond)
  yield compare({
    name: 'tensor',
    unit: 'requests/s',
    peer: 'the same function with JSON',
    goal: '>= 20',
    values: rates(binary),
    peerValues: rates(text),
    notes: {
      connections,
      generator: 'wrk',
      generatorCores: median(binary.map(({ generatorCores }) => generatorCores)),
      peerGeneratorCores: median(text.map(({ generatorCores }) => generatorCores)),
      bodyBytes: bytes.length,
      peerBodyBytes: json.length,
    },
  })
}

/** `y = x` over pictures. */
function identityModel(): ModelBytes {
  return encode({
    input: [value('x', 'float32', ['batch', ...dims.slice(1)])],
    output: [value('y', 'float32', ['batch', ...dims.slice(1)])],
    node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
  })
}

/** The bytes of a picture as networks take them: scaled, the mean taken off. */
function pictureData(): Float32Array<ArrayBuffer> {
  const length = dims.reduce((product, dim) => product * dim, 1)
  return Float32Array.from({ length }, (_, index) => (((index * 7_919) % 256) / 255 - 0.485) / 0.229)
}
