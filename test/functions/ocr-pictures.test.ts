import { fileValue } from 'isoplex'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Picture } from '../../functions/_ocr/picture.ts'
import { readPictureHeader } from '../../functions/_ocr/picture-header.ts'
import { fromPixmap, toPixmap } from '../../functions/_ocr/pixmap.ts'
import { readPicture } from '../../functions/_ocr/read-picture.ts'

type Bytes = Uint8Array<ArrayBuffer>

const red = { r: 200, g: 30, b: 40 }

async function bytesOf(picture: Sharp): Promise<Bytes> {
  return new Uint8Array(await picture.toBuffer())
}

/** A picture of 30 x 20 pixels, its left half red and its right half white. */
function halves(): Sharp {
  const half = { create: { width: 15, height: 20, channels: 3, background: red } } as const
  return sharp({ create: { width: 30, height: 20, channels: 3, background: 'white' } }).composite([
    { input: half, left: 0, top: 0 },
  ])
}

function read(bytes: Bytes, mediaType = 'image/png'): Promise<Picture> {
  return readPicture(fileValue(bytes, mediaType))
}

function colourAt({ width, pixels }: Picture, x: number, y: number): number[] {
  return [...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)]
}

/** How far two colours are apart, shade by shade at most. */
function gap(one: readonly number[], other: readonly number[]): number {
  return Math.max(...one.map((shade, index) => Math.abs(shade - (other[index] ?? 0))))
}

const refused = (message: RegExp) => ({
  code: 'INPUT_INVALID',
  message: expect.stringMatching(message),
  details: { issues: [{ path: '/picture' }] },
})

/** A PNG that says it is of this size, and holds next to nothing. */
async function pngOf(width: number, height: number): Promise<Bytes> {
  const bytes = await bytesOf(halves().png())
  const view = new DataView(bytes.buffer)
  view.setUint32(16, width)
  view.setUint32(20, height)
  view.setUint32(29, Bun.hash.crc32(bytes.subarray(12, 29)))
  return bytes
}

describe('the header of a picture', () => {
  it.each([
    ['PNG', halves().png(), 'image/png'],
    ['JPEG', halves().jpeg(), 'image/jpeg'],
    ['progressive JPEG', halves().jpeg({ progressive: true }), 'image/jpeg'],
    [
      'JPEG with EXIF',
      halves()
        .withExif({ IFD0: { Copyright: 'nobody' } })
        .jpeg(),
      'image/jpeg',
    ],
    ['WebP', halves().webp(), 'image/webp'],
    ['lossless WebP', halves().webp({ lossless: true }), 'image/webp'],
    ['WebP with alpha', halves().ensureAlpha(0.5).webp(), 'image/webp'],
    [
      'WebP with EXIF',
      halves()
        .withExif({ IFD0: { Copyright: 'nobody' } })
        .webp(),
      'image/webp',
    ],
  ])('tells the size of a %s', async (_, picture, mediaType) => {
    expect(readPictureHeader(await bytesOf(picture))).toEqual({ mediaType, width: 30, height: 20 })
  })

  it('is refused where it ends too early, at whatever byte', async () => {
    for (const picture of [halves().png(), halves().jpeg(), halves().webp()]) {
      const bytes = await bytesOf(picture)
      for (let length = 0; length < 24; length += 1) {
        expect(() => readPictureHeader(bytes.slice(0, length))).toThrow(/is empty|is no PNG, JPEG or WebP/)
      }
    }
  })

  it.each([
    [0, 20, /has no pixels/],
    [20, 0, /has no pixels/],
    [100_000, 100_000, /is too large: 100000 x 100000 pixels, where 40 million are the most/],
    [4_294_967_295, 4_294_967_295, /is too large/],
    [8_001, 5_000, /is too large/],
  ])('is refused where it says %i x %i', async (width, height, message) => {
    const bytes = await pngOf(width, height)
    expect(() => readPictureHeader(bytes)).toThrow(message)
  })

  it('is refused where the file is something else, whatever it is called', async () => {
    const drawing =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    const others = [
      drawing,
      'GIF89a\u0001\u0000\u0001\u0000',
      '%PDF-1.7 and more of it',
      'RIFF\u0004\u0000\u0000\u0000WAVEfmt ',
    ]
    for (const text of others) {
      const bytes = new TextEncoder().encode(text)
      await expect(read(bytes)).rejects.toMatchObject(refused(/is no PNG, JPEG or WebP file/))
    }
    await expect(read(await bytesOf(halves().tiff()))).rejects.toMatchObject(refused(/is no PNG/))
  })

  it('ends in a JPEG that goes on without a frame', () => {
    const endless = new Uint8Array(100_000).fill(0xff)
    endless[1] = 0xd8
    expect(() => readPictureHeader(endless)).toThrow(/is no PNG/)
    const segments = new Uint8Array(100_000)
    for (let at = 2; at + 4 < segments.length; at += 4) segments.set([0xff, 0xe0, 0, 2], at)
    segments.set([0xff, 0xd8])
    expect(() => readPictureHeader(segments)).toThrow(/is no PNG/)
  })
})

describe('a decoded picture', () => {
  it.each([
    ['PNG', halves().png()],
    ['PNG with a palette', halves().png({ palette: true })],
    ['interlaced PNG', halves().png({ progressive: true })],
    ['JPEG', halves().jpeg({ quality: 95, chromaSubsampling: '4:4:4' })],
    ['WebP', halves().webp({ lossless: true })],
    ['PNG of 16 bits', halves().toColourspace('rgb16').png()],
    ['CMYK JPEG', halves().toColourspace('cmyk').jpeg({ quality: 95 })],
    ['JPEG that is called a PNG', halves().jpeg({ quality: 95 })],
  ])('has the colours of a %s', async (_, picture) => {
    const decoded = await read(await bytesOf(picture))
    expect([decoded.width, decoded.height, decoded.pixels.length]).toEqual([30, 20, 1_800])
    // A conversion to inks and back does not give the very same red.
    expect(gap(colourAt(decoded, 4, 10), [200, 30, 40])).toBeLessThanOrEqual(30)
    expect(gap(colourAt(decoded, 25, 10), [255, 255, 255])).toBeLessThanOrEqual(6)
  })

  it('has three colours where the file is grey', async () => {
    const flat = sharp(await halves().png().toBuffer())
    const [grey, deep] = [flat.clone().greyscale(), flat.clone().toColourspace('grey16')]
    for (const picture of [grey.clone().png(), grey.clone().jpeg(), deep.png()]) {
      const decoded = await read(await bytesOf(picture))
      const [first = 0, second, third] = colourAt(decoded, 4, 10)
      expect([second, third]).toEqual([first, first])
      expect(first).toBeLessThan(120)
      expect(decoded.pixels).toHaveLength(1_800)
    }
  })

  it('is on white where the file is transparent', async () => {
    const clear = sharp({ create: { width: 4, height: 4, channels: 4, background: { ...red, alpha: 0 } } })
    for (const picture of [clear.clone().png(), clear.clone().webp({ lossless: true })]) {
      const decoded = await read(await bytesOf(picture))
      expect(colourAt(decoded, 1, 1)).toEqual([255, 255, 255])
      expect(decoded.pixels).toHaveLength(48)
    }
  })

  it.each([
    [3, [30, 20], [25, 10]],
    [6, [20, 30], [10, 4]],
    [8, [20, 30], [10, 25]],
  ])('is turned as EXIF orientation %i says', async (orientation, size, redAt) => {
    const decoded = await read(await bytesOf(halves().withMetadata({ orientation }).jpeg({ quality: 95 })))
    expect([decoded.width, decoded.height]).toEqual(size)
    const [x = 0, y = 0] = redAt
    expect(gap(colourAt(decoded, x, y), [200, 30, 40])).toBeLessThanOrEqual(30)
  })

  it('is the first frame of an animation', async () => {
    const frames = await Promise.all(
      [red, { r: 0, g: 255, b: 0 }].map((background) =>
        sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    )
    const animation = sharp(frames, { join: { animated: true } }).webp({
      loop: 0,
      delay: [100, 100],
      lossless: true,
    })
    const decoded = await read(await bytesOf(animation))
    expect([decoded.width, decoded.height]).toEqual([8, 8])
    expect(gap(colourAt(decoded, 4, 4), [200, 30, 40])).toBeLessThanOrEqual(2)
  })

  it('may be of one pixel', async () => {
    const one = sharp({ create: { width: 1, height: 1, channels: 3, background: red } })
    expect(await read(await bytesOf(one.png()))).toEqual({
      width: 1,
      height: 1,
      pixels: Uint8Array.of(200, 30, 40),
    })
  })

  it('is refused where the file ends too early or is damaged behind its header', async () => {
    for (const picture of [halves().png(), halves().jpeg(), halves().webp()]) {
      const bytes = await bytesOf(picture)
      await expect(read(bytes.slice(0, bytes.length * 0.6))).rejects.toMatchObject(
        refused(/is damaged, or ends too early/),
      )
    }
    await expect(read(await pngOf(6_000, 6_000))).rejects.toMatchObject(refused(/is damaged/))
  })
})

describe('a portable pixmap', () => {
  it('keeps a picture as it is, and shares its bytes', async () => {
    const picture = await read(await bytesOf(halves().png()))
    const file = toPixmap(picture)
    expect(file.mediaType).toBe('image/x-portable-pixmap')
    expect(await readPicture(file)).toEqual(picture)
    expect(fromPixmap(file.bytes).pixels.buffer).toBe(file.bytes.buffer)
    expect(new TextDecoder().decode(file.bytes.subarray(0, 13))).toBe('P6 30 20 255\n')
  })

  it.each([
    '',
    'P6',
    'P5 1 1 255\n\0',
    'P6 1 1 65535\n\0\0\0',
    'P6 2 1 255\nabc',
    'P6 1 1 255\nabcd',
    'P6 0 9 255\n',
    'P6 -1 9 255\n',
    'P6 9999999 9999999 255\n',
  ])('is refused as %j', async (text) => {
    const bytes = new TextEncoder().encode(text)
    await expect(read(bytes, 'image/x-portable-pixmap')).rejects.toMatchObject(
      refused(/is no portable|pixels/),
    )
  })
})
