import { Type } from '@sinclair/typebox'
import { file } from 'isoplex'
import { pixmapType } from './pixmap.ts'

/** A picture as functions take it. */
export const PictureFile = file({
  mediaTypes: ['image/png', 'image/jpeg', 'image/webp', pixmapType],
  description: 'A picture of at most 40 million pixels.',
})

/** A picture that is decoded, as functions hand it on. */
export const Pixmap = file({ mediaTypes: [pixmapType], description: 'A portable pixmap (P6).' })

const Point = Type.Tuple([Type.Number(), Type.Number()])

/** Where a line stands in its picture. */
export const Box = Type.Tuple([Point, Point, Point, Point], {
  description: 'Four corners, x and y in pixels, clockwise from the upper left one.',
})

/** How sure a model is. */
export const Score = Type.Number({ minimum: 0, maximum: 1 })
