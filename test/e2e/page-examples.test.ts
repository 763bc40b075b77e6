import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import seven from '../../functions/_examples/seven.json' with { type: 'json' }
import { hasChromium, launchChromium } from '../support/chromium.ts'
import type { Question } from '../support/page-harness.ts'
import { type OpenOptions, type PageScene, startPageScene, type TestPage } from '../support/page-scene.ts'

/** How far apart two numbers between 0 and 1 may be: float32 sums differ by the order in which they are made. */
const tolerance = 1e-4

/** A tone of three and a bit of the windows that the model hears at a time. */
const tone = Array.from({ length: 1_600 }, (_, place) => 0.5 * Math.sin(place / 9))

/** A picture with a word in it, and where that stands. */
const picture = await pictureOf('Harbour', 200, 64)
const line = await pictureOf('Harbour', 160, 48)
const box = [
  [20, 8],
  [180, 8],
  [180, 56],
  [20, 56],
]

/** Something to ask of each example that runs in pages. */
const questions: readonly Question[] = [
  { name: 'digits', input: { pixels: seven } },
  { name: 'hello/[name]', params: { name: 'Ada & Søren/2' }, query: { loud: true } },
  { name: 'ocr', input: { picture } },
  { name: 'ocr/cut', input: { picture, boxes: [box] } },
  { name: 'ocr/decode', input: { picture } },
  { name: 'ocr/detect', input: { picture } },
  { name: 'ocr/orient', input: { picture: line } },
  { name: 'ocr/recognize', input: { picture: line } },
  { name: 'speech', input: { audio: tone } },
  { name: 'stream', query: { to: 5 } },
]

/** Those that compute with a model of their own: a graph's nodes do, not the graph. */
const withModel: readonly string[] = ['digits', 'ocr/detect', 'ocr/orient', 'ocr/recognize', 'speech']

/** Pages, and what computes in each. */
const places: readonly (readonly [title: string, OpenOptions, provider: string, threads: boolean])[] = [
  ['wasm on one thread', { origin: 'known' }, 'wasm', false],
  ['wasm with threads', { origin: 'isolated' }, 'wasm', true],
  ['wasm in a page that evaluates no text', { origin: 'strict' }, 'wasm', false],
  ['WebGPU', { origin: 'known', engine: { softwareAdapters: true } }, 'webgpu', false],
]

describe.runIf(hasChromium)('the examples', { timeout: 300_000 }, () => {
  let scene: PageScene
  let browser: Browser

  beforeAll(async () => {
    scene = await startPageScene({ files: 'examples' })
    browser = await launchChromium({ webgpu: true })
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  it('are all asked that run in pages', async () => {
    const { json } = await scene.server.call('/-/browser/index.json')
    expect(questions.map(({ name }) => name)).toEqual(Object.keys(json.functions).toSorted())
  })

  describe.each(places)('on %s', (_, options, provider, threads) => {
    let page: TestPage

    beforeAll(async () => {
      page = await scene.open(browser, options)
    })
    afterAll(() => page.page.close())

    it.each(questions)('answer as on the server: $name', async (question) => {
      const here = await page.put({ ...question, where: 'browser' })
      const there = await page.put({ ...question, where: 'server' })
      expect([here.error, there.error]).toEqual([undefined, undefined])
      const hasModel = withModel.includes(question.name)
      expect(here.ran).toMatchObject({ where: 'browser', provider: hasModel ? provider : null })
      expect(there.ran).toMatchObject({ where: 'server', fellBack: null })
      expectNear(toNumbers(here.output), toNumbers(there.output))
    })

    it('refuse what does not fit as the server does', async () => {
      const question = { name: 'digits', input: { pixels: seven.with(3, 2) } }
      const here = await page.put({ ...question, where: 'browser' })
      const there = await page.put({ ...question, where: 'server' })
      expect(here.error).toMatchObject({
        code: 'INPUT_INVALID',
        details: { issues: [{ path: '/pixels/3' }] },
      })
      expect(here.error).toEqual(there.error)
    })

    it('leave the console empty, and threads where they belong', async () => {
      // The browser itself writes down what the server refuses, as it was asked to above.
      expect(page.complaints.filter((line) => !line.includes('status of 422'))).toEqual([])
      expect(await page.page.evaluate(() => crossOriginIsolated)).toBe(threads)
    })
  })
})

/** Black text on white, as a data: URL. */
async function pictureOf(text: string, width: number, height: number): Promise<string> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="white"/>
    <text x="24" y="${height / 2 + 10}" font-family="DejaVu Sans" font-size="30">${text}</text></svg>`
  const png = await sharp(Buffer.from(svg)).png().toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}

/** The state of `speech`, which is numbers in base64, as these numbers; all else as it is. */
function toNumbers(output: unknown): unknown {
  const { state } = (output ?? {}) as { readonly state?: unknown }
  if (typeof state !== 'string') return output
  return { ...(output as object), state: [...new Float32Array(Uint8Array.fromBase64(state).buffer)] }
}

/** Expects values of one form, whose numbers are as near to each other as can be asked. */
function expectNear(value: unknown, expected: unknown): void {
  const numbers: number[] = []
  const form = (_: string, member: unknown): unknown => {
    if (typeof member === 'number') numbers.push(member)
    return typeof member === 'number' ? 'number' : member
  }
  expect(JSON.stringify(value, form)).toBe(JSON.stringify(expected, form))
  const half = numbers.length / 2
  const distances = numbers
    .slice(0, half)
    .map((number, place) => Math.abs(number - (numbers[half + place] ?? Number.NaN)))
  expect(Math.max(0, ...distances)).toBeLessThan(tolerance)
}
