import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
import { toPixmap } from '../_ocr/pixmap.ts'
import { readPicture } from '../_ocr/read-picture.ts'
import { PictureFile, Pixmap } from '../_ocr/schemas.ts'

export default defineFunction({
  description: 'Decodes a picture: upright as its EXIF says, on white where it is transparent.',
  input: Type.Object({ picture: PictureFile }),
  output: Pixmap,
  runs: ['server', 'browser'],
  handler: async ({ input }) => toPixmap(await readPicture(input.picture)),
})
