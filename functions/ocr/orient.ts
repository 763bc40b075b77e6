import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'
import { answerLines } from '../_ocr/line-batch.ts'
import { toNumbers } from '../_ocr/numbers.ts'
import { orientationsOf } from '../_ocr/orientation.ts'
import { PictureFile, Score } from '../_ocr/schemas.ts'
import { orientationWidth, stripsOf } from '../_ocr/strip.ts'

export default defineInference({
  description: 'Tells whether a line of text, cut out of a picture, stands on its head.',
  input: Type.Object({ picture: PictureFile }),
  output: Type.Object({
    degrees: Type.Union([Type.Literal(0), Type.Literal(180)], {
      description: 'By how much the line is turned; 180 only where that is sure.',
    }),
    score: Score,
  }),
  runs: ['server', 'browser'],
  model: onnx({ default: 'ocr-orientation', inputs: ['x'], outputs: ['softmax_0.tmp_0'] }),
  batch: { maxSize: 32, maxDelayMs: 2 },
  infer: (inputs, { model }) =>
    answerLines(inputs, async (lines) => {
      const { data, dims } = stripsOf(lines, orientationWidth)
      const answer = await model.run({ x: tensor('float32', data, dims) })
      return orientationsOf(toNumbers(answer['softmax_0.tmp_0']))
    }),
})
