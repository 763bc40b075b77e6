import { mostPixels } from './picture.ts'
import { refusePicture } from './refusal.ts'

/** What a picture's file says of it before its pixels. */
export interface PictureHeader {
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp'
  readonly width: number
  readonly height: number
}

/**
 * Reads from the first bytes of a PNG, JPEG or WebP file how large the picture is, whatever media type it came under,
 * and refuses it before anything is decoded where that is too large.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function readPictureHeader(bytes: Uint8Array<ArrayBuffer>): PictureHeader {
  if (bytes.length === 0) throw refusePicture('is empty')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = readAny(view)
  if (header === undefined) throw refusePicture('is no PNG, JPEG or WebP file, or is damaged')
  const { width, height } = header
  if (width === 0 || height === 0) throw refusePicture('has no pixels')
  if (width * height > mostPixels) {
    throw refusePicture(
      `is too large: ${width} x ${height} pixels, where ${mostPixels / 1e6} million are the most`,
    )
  }
  return header
}

function readAny(view: DataView): PictureHeader | undefined {
  try {
    return readPng(view) ?? readJpeg(view) ?? readWebp(view)
  } catch (error) {
    // A file that ends too early.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** https://www.w3.org/TR/png-3/#11IHDR */
function readPng(view: DataView): PictureHeader | undefined {
  if (view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return undefined
  if (view.getUint32(12) !== 0x49484452) return undefined
  return { mediaType: 'image/png', width: view.getUint32(16), height: view.getUint32(20) }
}

/** ITU-T T.81, annex B: segments up to the one that begins a frame. */
function readJpeg(view: DataView): PictureHeader | undefined {
  if (view.getUint16(0) !== 0xffd8) return undefined
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return undefined
    const marker = view.getUint8(at + 1)
    // Any number of 0xff may fill up the room before a marker.
    if (marker === 0xff) at += 1
    else if (startsFrame(marker)) {
      return { mediaType: 'image/jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    } else at += 2 + Math.max(2, view.getUint16(at + 2))
  }
}

/** Start of frame of any process; 0xc4, 0xc8 and 0xcc among them mean something else. */
function startsFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** https://developers.google.com/speed/webp/docs/riff_container: one of three kinds of first chunk. */
function readWebp(view: DataView): PictureHeader | undefined {
  if (view.getUint32(0) !== 0x52494646 || view.getUint32(8) !== 0x57454250) return undefined
  const sizes: Readonly<Record<number, () => readonly [number, number]>> = {
    // "VP8X": each less one, in three bytes.
    1448097880: () => [1 + getUint24(view, 24), 1 + getUint24(view, 27)],
    // "VP8L": each less one, in 14 bits after a byte of signature.
    1448097868: () => {
      const bits = view.getUint32(21, true)
      return [1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff)]
    },
    // "VP8 ": 14 bits each after the frame's tag and start code.
    1448097824: () => [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff],
  }
  const size = sizes[view.getUint32(12)]?.()
  return size && { mediaType: 'image/webp', width: size[0], height: size[1] }
}

function getUint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
}
