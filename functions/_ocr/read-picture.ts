import type { FileValue } from 'isoplex'
import { decode } from './decoder/decode.ts'
import type { Picture } from './picture.ts'
import { readPictureHeader } from './picture-header.ts'
import { fromPixmap, pixmapType } from './pixmap.ts'
import { refusePicture } from './refusal.ts'

/**
 * The picture of a file: a portable pixmap as it is; PNG, JPEG and WebP decoded.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where it is damaged, too large or none of these.
 */
export async function readPicture({ bytes, mediaType }: FileValue): Promise<Picture> {
  if (mediaType === pixmapType) return fromPixmap(bytes)
  const header = readPictureHeader(bytes)
  const picture = await decode(bytes, header)
  if (picture === null) throw refusePicture('is damaged, or ends too early')
  return picture
}
