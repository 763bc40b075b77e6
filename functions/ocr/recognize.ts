import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'
import { answerLines } from '../_ocr/line-batch.ts'
import { toNumbers } from '../_ocr/numbers.ts'
import type { Picture } from '../_ocr/picture.ts'
import { PictureFile, Score } from '../_ocr/schemas.ts'
import { groupStrips, stripsOf } from '../_ocr/strip.ts'
import { type Transcript, transcribe } from '../_ocr/transcript.ts'

export default defineInference({
  description: 'Reads a line of text that was cut out of a picture.',
  input: Type.Object({
    picture: PictureFile,
    degrees: Type.Optional(
      Type.Union([Type.Literal(0), Type.Literal(180)], { description: 'By how much the line is turned.' }),
    ),
  }),
  output: Type.Object({ text: Type.String(), score: Score }),
  runs: ['server', 'browser'],
  model: onnx({ default: 'ocr-recognition', inputs: ['x'], outputs: ['softmax_11.tmp_0'] }),
  batch: { maxSize: 64, maxDelayMs: 2 },
  infer: (inputs, { model }) =>
    answerLines(inputs, async (lines) => {
      const transcripts: Transcript[] = []
      for (const { indexes, width } of groupStrips(lines)) {
        const strips = stripsOf(
          indexes.map((index) => lines[index] as Picture),
          width,
        )
        const answer = await model.run({ x: tensor('float32', strips.data, strips.dims) })
        const read = transcribe(toNumbers(answer['softmax_11.tmp_0']))
        for (const [at, index] of indexes.entries()) transcripts[index] = read[at] as Transcript
      }
      return transcripts
    }),
})
