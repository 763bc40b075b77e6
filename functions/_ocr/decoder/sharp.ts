import sharp from 'sharp'
import type { Picture } from '../picture.ts'
import type { PictureHeader } from '../picture-header.ts'

/**
 * Decodes a picture with libvips: turned as its EXIF says, in sRGB, on white where it is transparent; the first frame of
 * an animation.
 *
 * @throws {Error} where the file is damaged or ends too early.
 */
export async function decodePixels(bytes: Uint8Array<ArrayBuffer>, header: PictureHeader): Promise<Picture> {
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: header.width * header.height })
  const { data, info } = await decoder
    .autoOrient()
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, pixels: new Uint8Array(data) }
}
