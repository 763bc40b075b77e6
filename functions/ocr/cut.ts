import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
import { cutLines } from '../_ocr/cut.ts'
import { toPixmap } from '../_ocr/pixmap.ts'
import { readPicture } from '../_ocr/read-picture.ts'
import { Box, PictureFile, Pixmap } from '../_ocr/schemas.ts'

export default defineFunction({
  description: 'Cuts boxes out of a picture and straightens what is in them, so that text in it lies.',
  input: Type.Object({ picture: PictureFile, boxes: Type.Array(Box, { maxItems: 1_000 }) }),
  output: Type.Array(Pixmap),
  runs: ['server', 'browser'],
  async handler({ input }) {
    const picture = await readPicture(input.picture)
    return cutLines(picture, input.boxes).map(toPixmap)
  },
})
