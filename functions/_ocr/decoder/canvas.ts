import type { Picture } from '../picture.ts'
import type { PictureHeader } from '../picture-header.ts'

/**
 * Decodes a picture with the browser's own decoder: turned as its EXIF says, in sRGB, on white where it is transparent;
 * the first frame of an animation.
 *
 * @throws {Error} where the browser cannot decode the file.
 */
export async function decodePixels(bytes: Uint8Array<ArrayBuffer>, header: PictureHeader): Promise<Picture> {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: header.mediaType }))
  try {
    const { width, height } = bitmap
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
    if (context === null) throw new Error('The browser gives no canvas of this size.')
    context.fillStyle = 'white'
    context.fillRect(0, 0, width, height)
    context.drawImage(bitmap, 0, 0)
    return { width, height, pixels: withoutAlpha(context.getImageData(0, 0, width, height).data) }
  } finally {
    bitmap.close()
  }
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array((rgba.length / 4) * 3)
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from] as number
    rgb[to + 1] = rgba[from + 1] as number
    rgb[to + 2] = rgba[from + 2] as number
  }
  return rgb
}
