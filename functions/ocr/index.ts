import { Type } from '@sinclair/typebox'
import { bind, defineGraph, derive, each, handle, input } from 'isoplex'
import { Box, PictureFile, Score } from '../_ocr/schemas.ts'
import cut from './cut.ts'
import decode from './decode.ts'
import detect from './detect.ts'
import orient from './orient.ts'
import recognize from './recognize.ts'

/** Less sure than this, a line is none. */
const leastScore = 0.5

const page = input(Type.Object({ picture: PictureFile }))
const picture = bind(decode, { picture: page.picture })
const found = bind(handle(detect, { model: 'ocr-detection' }), { picture })
const boxes = derive(found.lines, (lines) => lines.map(({ box }) => box), { name: 'boxes' })
const crops = bind(cut, { picture, boxes })
const orientations = bind(
  handle(orient, { model: 'ocr-orientation' }),
  each(crops, (crop) => ({ picture: crop })),
)
const strips = derive(
  { crops, orientations },
  ({ crops, orientations }) =>
    crops.map((crop, index) => ({ picture: crop, degrees: orientations[index]?.degrees ?? 0 })),
  { name: 'strips' },
)
const transcripts = bind(handle(recognize, { model: 'ocr-recognition' }), each(strips))
const lines = derive(
  { boxes, transcripts },
  ({ boxes, transcripts }) =>
    transcripts.flatMap(({ text, score }, index) => {
      const box = boxes[index]
      return box === undefined || text === '' || score < leastScore ? [] : [{ text, score, box }]
    }),
  { name: 'lines' },
)

/** A graph: `POST /ocr` with a picture has the functions beside this file read it, in one replica or in a page. */
export default defineGraph({
  description: 'Reads the text in a picture: its lines in reading order, with where they stand.',
  input: page,
  output: Type.Object({ lines: Type.Array(Type.Object({ text: Type.String(), score: Score, box: Box })) }),
  runs: ['server', 'browser'],
  answer: { lines },
})
