import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'
import { detectionInput, linesOf } from '../_ocr/detection.ts'
import { toNumbers } from '../_ocr/numbers.ts'
import { readPicture } from '../_ocr/read-picture.ts'
import { Box, PictureFile, Score } from '../_ocr/schemas.ts'

export default defineInference({
  description: 'Finds the lines of text in a picture, in reading order.',
  input: Type.Object({ picture: PictureFile }),
  output: Type.Object({ lines: Type.Array(Type.Object({ box: Box, score: Score })) }),
  runs: ['server', 'browser'],
  model: onnx({ default: 'ocr-detection', inputs: ['x'], outputs: ['sigmoid_0.tmp_0'] }),
  async infer(input, { model }) {
    const picture = await readPicture(input.picture)
    const { data, dims } = detectionInput(picture)
    const { 'sigmoid_0.tmp_0': shares } = await model.run({ x: tensor('float32', data, dims) })
    return { lines: linesOf(toNumbers(shares), picture) }
  },
})
