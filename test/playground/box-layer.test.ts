import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderCleanPictures, type TextPicture } from '../functions/text-pictures.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { openPlayground, type PlaygroundScene, runCall, startPlayground } from './playground-scene.ts'

async function send(page: Page, { bytes, mediaType, name }: TextPicture): Promise<void> {
  await page
    .locator('input[type=file]')
    .setInputFiles({ name, mimeType: mediaType, buffer: Buffer.from(bytes) })
  await page.getByRole('img', { name: 'The picture' }).waitFor()
}

describe.runIf(hasChromium)('boxes over a picture', { timeout: 180_000 }, () => {
  let scene: PlaygroundScene
  let browser: Browser
  let pictures: readonly TextPicture[]

  beforeAll(async () => {
    pictures = (await renderCleanPictures()).filter(({ name }) => /, 4 degrees|FreeSans, 56/.test(name))
    scene = await startPlayground()
    browser = await launchChromium()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  it('stand where the answer says, with their texts, as long as it is the same picture', async () => {
    await using opened = await openPlayground(browser, scene, 'ocr')
    const { page, complaints, keep } = opened
    await page.getByRole('radio', { name: 'Server' }).check()
    for (const picture of pictures) {
      await send(page, picture)
      expect(await page.locator('svg.boxes').count()).toBe(0)
      await runCall(page)
      const layer = page.locator('svg.boxes')
      expect(await layer.locator('text').allTextContents()).toEqual(picture.lines)
      const [canvas, over] = await Promise.all([
        page.getByRole('img', { name: 'The picture' }).boundingBox(),
        layer.boundingBox(),
      ])
      for (const side of ['x', 'y', 'width', 'height'] as const) {
        expect(over?.[side]).toBeCloseTo(canvas?.[side] ?? Number.NaN, 0)
      }
      for (const polygon of await layer.locator('polygon').all()) {
        const box = await polygon.boundingBox()
        if (!box || !canvas) throw new Error('It is not to be seen.')
        expect(box.x).toBeGreaterThanOrEqual(canvas.x - 2)
        expect(box.y + box.height).toBeLessThanOrEqual(canvas.y + canvas.height + 2)
      }
      await keep(`ocr-${pictures.indexOf(picture) + 1}`)
    }
    expect(complaints).toEqual([])
  })

  it('come of the step that only finds lines too, without texts, on a phone in the dark', async () => {
    await using opened = await openPlayground(browser, scene, 'ocr/detect', { width: 360, dark: true })
    const { page, complaints, keep } = opened
    const [picture] = pictures
    if (!picture) throw new Error('none')
    await page.getByRole('radio', { name: 'Server' }).check()
    await send(page, picture)
    await runCall(page)
    expect(await page.locator('svg.boxes polygon').count()).toBe(picture.lines.length)
    expect(await page.locator('svg.boxes text').count()).toBe(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await keep('ocr-detect-phone')
    expect(complaints).toEqual([])
  })
})
