import { type FileValue, fileValue } from 'isoplex'
import type { Picture } from './picture.ts'
import { refusePicture } from './refusal.ts'

/** The media type of a portable pixmap: a picture that is decoded already. */
export const pixmapType = 'image/x-portable-pixmap'

/**
 * A picture as a portable pixmap (P6, https://netpbm.sourceforge.net/doc/ppm.html): a line of text, then its pixels as
 * they are. It is the form in which functions hand pictures on, since it costs no more than a copy.
 */
export function toPixmap({ width, height, pixels }: Picture): FileValue {
  const head = new TextEncoder().encode(`P6 ${width} ${height} 255\n`)
  const bytes = new Uint8Array(head.length + pixels.length)
  bytes.set(head)
  bytes.set(pixels, head.length)
  return fileValue(bytes, pixmapType)
}

/** The size in the first line of a pixmap, of a byte a colour and without comments. */
const headPattern = /^P6\s+(\d{1,6})\s+(\d{1,6})\s+255\s/

/**
 * The picture of a portable pixmap, which shares its bytes.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where it is none, or has not as many pixels as it says.
 */
export function fromPixmap(bytes: Uint8Array<ArrayBuffer>): Picture {
  const head = headPattern.exec(String.fromCharCode(...bytes.subarray(0, 32)))
  if (!head) throw refusePicture('is no portable pixmap (P6) of 255 shades')
  const [width, height] = [Number(head[1]), Number(head[2])]
  const pixels = bytes.subarray(head[0].length)
  if (width === 0 || height === 0) throw refusePicture('has no pixels')
  if (pixels.length !== 3 * width * height) throw refusePicture('has not as many pixels as it says')
  return { width, height, pixels }
}
