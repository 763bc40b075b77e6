import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireOrSkip } from '../support/requirement.ts'
import {
  makeExampleProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
} from '../support/server.ts'
import { readInPython, runnerAbsence } from './ocr-runner.ts'
import { accuracyOf, renderCleanPictures, renderNoisyPictures, type TextPicture } from './text-pictures.ts'

interface Line {
  readonly text: string
  readonly score: number
  readonly box: readonly (readonly [number, number])[]
}

const hasRunner = requireOrSkip('python', runnerAbsence())

describe('ocr', { timeout: 240_000 }, () => {
  let project: TestProject
  let server: TestServer
  let clean: readonly TextPicture[]
  let noisy: readonly TextPicture[]
  /** What was read in each picture that was asked for. */
  const read = new Map<TextPicture, Promise<readonly Line[]>>()
  beforeAll(async () => {
    project = await makeExampleProject({ requestTimeoutMs: 240_000 })
    server = await startServer(project, 'dev')
    clean = await renderCleanPictures()
    noisy = await renderNoisyPictures()
  }, 240_000)
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  function post(path: string, bytes: Uint8Array<ArrayBuffer>, mediaType = 'image/png'): Promise<Reply> {
    return server.call(path, { body: bytes, headers: { 'content-type': mediaType } })
  }

  async function readLines({ bytes, mediaType }: TextPicture): Promise<readonly Line[]> {
    const reply = await post('/ocr', bytes, mediaType)
    expect(reply.status, reply.text).toBe(200)
    return reply.json.lines
  }

  /** As {@link readLines}, once for each picture. */
  function linesOf(picture: TextPicture): Promise<readonly Line[]> {
    const lines = read.get(picture) ?? readLines(picture)
    read.set(picture, lines)
    return lines
  }

  async function accuracyOn(pictures: readonly TextPicture[]): Promise<number> {
    const texts = await Promise.all(pictures.map(async (picture) => textsOf(await linesOf(picture))))
    return scoreOf(pictures, texts)
  }

  it('reads clean pictures of many fonts, sizes and angles', async () => {
    expect(await accuracyOn(clean)).toBeGreaterThanOrEqual(0.97)
  })

  it('reads pictures with noise, blur and lossy compression', async () => {
    expect(await accuracyOn(noisy)).toBeGreaterThanOrEqual(0.9)
  })

  it.runIf(hasRunner)('reads as well as a plain Python runner of the same models', async () => {
    const all = [...clean, ...noisy]
    const theirs = scoreOf(all, await readInPython(all))
    expect(theirs).toBeGreaterThan(0.8)
    expect((await accuracyOn(all)) / theirs).toBeGreaterThanOrEqual(0.98)
  })

  it('tells where each line stands', async () => {
    for (const picture of clean.filter(({ lines }) => lines.length > 2).slice(0, 4)) {
      const lines = await linesOf(picture)
      const { width = 0, height = 0 } = await sharp(picture.bytes).metadata()
      expect(lines).toHaveLength(picture.lines.length)
      const middles = lines.map(({ box }) => box.reduce((sum, [, y]) => sum + y, 0) / 4)
      expect(middles).toEqual(middles.toSorted((a, b) => a - b))
      for (const { box, score } of lines) {
        expect(score).toBeGreaterThan(0.5)
        for (const [x, y] of box) {
          expect(x).toBeGreaterThanOrEqual(0)
          expect(x).toBeLessThan(width)
          expect(y).toBeGreaterThanOrEqual(0)
          expect(y).toBeLessThan(height)
        }
      }
    }
  })

  it('has steps that are functions of their own', async () => {
    const [picture] = clean
    if (!picture) throw new Error('none')
    const found = await post('/ocr/detect', picture.bytes)
    expect(found.json.lines).toHaveLength(picture.lines.length)
    const boxes = found.json.lines.map(({ box }: Line) => box)
    const data = `data:image/png;base64,${picture.bytes.toBase64()}`
    const crops = await server.call('/ocr/cut', { json: { picture: data, boxes } })
    expect(crops.status, crops.text.slice(0, 500)).toBe(200)
    const [first] = crops.json as readonly string[]
    const upright = await server.call('/ocr/orient', { json: { picture: first } })
    expect(upright.json).toMatchObject({ degrees: 0 })
    const line = await server.call('/ocr/recognize', { json: { picture: first, degrees: 0 } })
    expect(line.json.text).toBe(picture.lines[0])
    const pixels = await post('/ocr/decode', picture.bytes)
    expect(pixels.headers.get('content-type')).toBe('image/x-portable-pixmap')
  })

  it('answers many pictures at once, each with its own text', async () => {
    const some = clean.slice(0, 3)
    const alone: (readonly Line[])[] = []
    for (const picture of some) alone.push(await readLines(picture))
    const together = await Promise.all([...some, ...some].map(readLines))
    expect(together.map(textsOf)).toEqual([...alone, ...alone].map(textsOf))
  })

  it.each([
    [
      'white',
      sharp({ create: { width: 640, height: 480, channels: 3, background: 'white' } }).png(),
      'image/png',
    ],
    [
      'transparent',
      sharp({ create: { width: 64, height: 48, channels: 4, background: '#0000' } }).webp(),
      'image/webp',
    ],
    [
      'of one pixel',
      sharp({ create: { width: 1, height: 1, channels: 3, background: 'black' } }).png(),
      'image/png',
    ],
    [
      'of one row',
      sharp({ create: { width: 9_000, height: 1, channels: 3, background: 'red' } }).png(),
      'image/png',
    ],
    [
      'of one column',
      sharp({ create: { width: 1, height: 9_000, channels: 3, background: 'red' } }).jpeg(),
      'image/jpeg',
    ],
  ])('finds no line in a picture that is %s', async (_, picture, mediaType) => {
    const reply = await post('/ocr', new Uint8Array(await picture.toBuffer()), mediaType)
    expect(reply.json, reply.text).toEqual({ lines: [] })
  })

  it('reads a picture of 16 bits, of grey, of inks, turned by EXIF, and one with a clear ground', async () => {
    const [picture] = clean
    if (!picture) throw new Error('none')
    const source = sharp(picture.bytes)
    const white = { r: 255, g: 255, b: 255, alpha: 1 }
    const others: readonly [string, Sharp][] = [
      ['image/png', source.clone().toColourspace('rgb16').png()],
      ['image/png', source.clone().greyscale().png()],
      ['image/jpeg', source.clone().toColourspace('cmyk').jpeg()],
      [
        'image/jpeg',
        sharp(await source.clone().rotate(90).toBuffer())
          .withMetadata({ orientation: 8 })
          .jpeg(),
      ],
      ['image/png', source.clone().unflatten().png()],
      ['image/webp', source.clone().extend({ top: 900, bottom: 900, left: 400, background: white }).webp()],
    ]
    for (const [mediaType, other] of others) {
      const lines = await readLines({
        ...picture,
        mediaType: mediaType as TextPicture['mediaType'],
        bytes: new Uint8Array(await other.toBuffer()),
      })
      expect(scoreOf([picture], [textsOf(lines)])).toBeGreaterThan(0.95)
    }
  })

  it('refuses what is no picture, or too much of one', async () => {
    const bytes = clean[0]?.bytes ?? new Uint8Array()
    const bomb = bytes.slice()
    new DataView(bomb.buffer).setUint32(16, 60_000)
    new DataView(bomb.buffer).setUint32(20, 60_000)
    const cases: readonly [Uint8Array<ArrayBuffer>, string, number, string][] = [
      [new Uint8Array(), 'image/png', 422, 'is empty'],
      [new TextEncoder().encode('<svg/>'), 'image/png', 422, 'is no PNG, JPEG or WebP'],
      [bytes.slice(0, 20), 'image/png', 422, 'is no PNG, JPEG or WebP'],
      [bytes.slice(0, bytes.length / 2), 'image/png', 422, 'is damaged, or ends too early'],
      [bomb, 'image/png', 422, 'is too large'],
      [bytes, 'image/gif', 415, 'takes application/json'],
      [bytes, 'image/x-portable-pixmap', 422, 'is no portable pixmap'],
    ]
    for (const path of ['/ocr', '/ocr/decode', '/ocr/detect', '/ocr/orient', '/ocr/recognize']) {
      for (const [body, mediaType, status, detail] of cases) {
        const reply = await post(path, body, mediaType)
        expect([reply.status, reply.json.detail]).toEqual([status, expect.stringContaining(detail)])
      }
      const none = await server.call(path, { json: {} })
      expect([none.status, none.json.issues?.[0]?.path]).toEqual([422, '/picture'])
    }
  })
})

function textsOf(lines: readonly Line[]): readonly string[] {
  return lines.map(({ text }) => text)
}

/** How much of what stands in pictures was read. */
function scoreOf(pictures: readonly TextPicture[], read: readonly (readonly string[])[]): number {
  return accuracyOf(
    pictures.map(({ lines }, index) => ({ written: lines.join('\n'), read: (read[index] ?? []).join('\n') })),
  )
}
