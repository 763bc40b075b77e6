import { decodePixels } from '#platform'
import type { Picture } from '../picture.ts'
import type { PictureHeader } from '../picture-header.ts'

/**
 * Decodes a PNG, JPEG or WebP file by what there is for it, which `package.json` beside this file names: libvips on
 * servers, the browser's own decoder in pages. `null` where the file is damaged or ends too early.
 */
export async function decode(bytes: Uint8Array<ArrayBuffer>, header: PictureHeader): Promise<Picture | null> {
  try {
    return await decodePixels(bytes, header)
  } catch {
    return null
  }
}
