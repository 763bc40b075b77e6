import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { waveFile } from '../support/wave-file.ts'
import {
  drawWithMouse,
  openPlayground,
  type PlaygroundScene,
  runCall,
  seven,
  startPlayground,
} from './playground-scene.ts'

/** What each place answers, as text. */
function answerOf(page: Page, place: 'Browser' | 'Server') {
  return page.getByRole('region', { name: `Answer: ${place}` })
}

/** Tabs until what has the focus fits, as somebody without a mouse does. */
async function tabTo(page: Page, fits: string): Promise<void> {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab')
    if (await page.evaluate((selector) => document.activeElement?.matches(selector) === true, fits)) return
  }
  throw new Error(`Nothing that is ${fits} is reached by Tab.`)
}

async function pressTimes(page: Page, key: string, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) await page.keyboard.press(key)
}

describe.runIf(hasChromium)('the playground', { timeout: 120_000 }, () => {
  let scene: PlaygroundScene
  let browser: Browser

  beforeAll(async () => {
    scene = await startPlayground()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  it('reads a 7 that is drawn with a mouse, here and on the server', async () => {
    await using opened = await openPlayground(browser, scene, 'digits')
    const { page, complaints, keep } = opened
    await page.getByRole('radio', { name: 'Both' }).check()
    await drawWithMouse(page, seven)
    await runCall(page)
    for (const place of ['Browser', 'Server'] as const) {
      await expect(answerOf(page, place).getByRole('status').first().textContent()).resolves.toBe('7')
    }
    const here = await answerOf(page, 'Browser').textContent()
    expect(here).toMatch(/providerwasm/)
    expect(here).toMatch(/modeldigits @ /)
    expect(here).toContain('The browser offers no WebGPU adapter.')
    await page.getByText(/The answers agree.*Largest difference of 11 numbers/).waitFor()
    await page.getByRole('cell', { name: 'digits', exact: true }).waitFor()
    await keep('digits-light')
    expect(complaints).toEqual([])
  })

  it('is used by keys alone', async () => {
    await using opened = await openPlayground(browser, scene, 'near')
    const { page, complaints } = opened
    await page.keyboard.press('/')
    await page.keyboard.type('handwritten')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'digits', exact: true }).waitFor()
    await tabTo(page, 'canvas')
    await pressTimes(page, 'ArrowLeft', 6)
    await pressTimes(page, 'ArrowUp', 8)
    await page.keyboard.press('Delete')
    await page.keyboard.press('Space')
    await pressTimes(page, 'ArrowRight', 12)
    for (let step = 0; step < 8; step += 1) {
      await pressTimes(page, 'ArrowDown', 2)
      await page.keyboard.press('ArrowLeft')
    }
    await page.keyboard.press('Space')
    await tabTo(page, 'input[name=where]')
    await pressTimes(page, 'ArrowRight', 2)
    await tabTo(page, 'button.primary')
    await page.keyboard.press('Enter')
    await answerOf(page, 'Server').getByText(/total/).waitFor()
    expect(await answerOf(page, 'Server').getByRole('status').first().textContent()).toBe('7')
    expect(complaints).toEqual([])
  })

  it('fits a phone, in the dark, under a finger', async () => {
    await using opened = await openPlayground(browser, scene, 'digits', {
      width: 360,
      height: 740,
      dark: true,
      touch: true,
    })
    const { page, complaints, keep } = opened
    await page.getByLabel(/: draw here/).tap()
    // What is sent is a dot, scaled up to the box of a digit; the corners stay empty.
    const inked = await page
      .getByRole('img', { name: 'What is sent' })
      .evaluate((canvas: HTMLCanvasElement) => {
        const data = canvas.getContext('2d')?.getImageData(0, 0, 28, 28).data ?? []
        return data.filter((value, index) => index % 4 === 3 && value > 128).length
      })
    expect(inked).toBeGreaterThan(200)
    expect(inked).toBeLessThan(400)
    await page.getByRole('button', { name: 'Run', exact: true }).tap()
    await page.getByText(/total/).waitFor()
    await keep('digits-phone')
    for (const name of ['hello/[name]', 'kinds', 'speech', 'stream']) {
      await page.locator(`nav a[href="#/${encodeURIComponent(name)}"]`).tap()
      await page.getByRole('heading', { name, exact: true }).waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
      await keep(`${name.replace(/\W+/g, '-')}-phone`)
    }
    expect(complaints).toEqual([])
  })

  it('says what is wrong beside each field, and what a function refuses by itself', async () => {
    await using opened = await openPlayground(browser, scene, 'kinds')
    const { page, complaints, keep } = opened
    const wrongOf = async (label: string): Promise<string | null> => {
      const control = page.getByLabel(label, { exact: true })
      const ids = (await control.getAttribute('aria-describedby')) ?? ''
      return await page.locator(`[id="${ids.split(' ').at(-1)}"]`).textContent()
    }
    expect(await wrongOf('word')).toBe('')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    expect(await wrongOf('word')).toBe('is required')
    expect(await wrongOf('size')).toBe('is required')
    expect(await page.getByLabel('word').evaluate((input) => input === document.activeElement)).toBe(true)
    await page.getByLabel('word').fill('A')
    expect(await wrongOf('word')).toBe('needs at least 2 characters; must match ^[a-z]+$')
    await page.getByLabel('count').fill('12')
    expect(await wrongOf('count')).toBe('must be at most 9')
    await keep('kinds-wrong')
    await page.getByLabel('word').fill('taken')
    await page.getByLabel('count').fill('4')
    await page.getByLabel('size').selectOption('large')
    await page.getByLabel('sure').check()
    await page.getByRole('radio', { name: 'Server' }).check()
    await runCall(page)
    expect(await wrongOf('word')).toBe('is taken already')
    expect(await page.getByRole('alert').textContent()).toMatch(
      /INPUT_INVALID The word is taken[\s\S]*Request \w+/,
    )
    expect(complaints).toEqual([
      'Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)',
    ])
  })

  it('keeps form and JSON in step, and sends what both show', async () => {
    await using opened = await openPlayground(browser, scene, 'kinds')
    const { page, complaints } = opened
    await page.getByLabel('word').fill('abc')
    await page.getByLabel('size').selectOption('small')
    await page.getByRole('button', { name: 'Add inner' }).click()
    await page.getByRole('button', { name: 'Add an item' }).click()
    await page.getByLabel('list 1', { exact: true }).fill('first')
    await page.getByRole('button', { name: 'JSON' }).click()
    const json = page.getByLabel('Input as JSON').first()
    expect(JSON.parse(await json.inputValue())).toEqual({
      word: 'abc',
      size: 'small',
      count: 3,
      sure: false,
      inner: { list: ['first'] },
    })
    await json.fill('{ "word": ')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('What stands there as JSON is none yet.').waitFor()
    await json.fill('{ "word": "xyz", "size": "large", "count": 5, "sure": true }')
    await page.getByRole('button', { name: 'JSON' }).click()
    expect(await page.getByLabel('word').inputValue()).toBe('xyz')
    expect(await page.getByLabel('count').inputValue()).toBe('5')
    await runCall(page)
    await page.getByText('{"word":"xyz","size":"large","count":5,"sure":true}', { exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  it('takes one of several forms, and what holds itself', async () => {
    await using opened = await openPlayground(browser, scene, 'kinds')
    const { page, complaints } = opened
    await page.getByLabel('word').fill('abc')
    await page.getByLabel('size').selectOption('small')
    await page.getByRole('button', { name: 'Add target' }).click()
    await page.getByLabel('Form of target').selectOption('object')
    await page.getByLabel('x', { exact: true }).fill('1.5')
    await page.getByRole('button', { name: 'Add tree' }).click()
    await page.getByLabel('leaf').fill('1')
    await page.getByRole('button', { name: 'Add next' }).click()
    await page.getByLabel('leaf').nth(1).fill('2')
    await runCall(page)
    const sent = '"target":{"x":1.5},"tree":{"leaf":1,"next":{"leaf":2}}'
    await answerOf(page, 'Browser').getByText(sent).first().waitFor()
    const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
    expect(complaints).toEqual([])
  })

  it('takes files and tensors', async () => {
    await using opened = await openPlayground(browser, scene, 'kinds')
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'JSON' }).click()
    await page.getByLabel('Input as JSON').first().fill('{ "word": "xyz", "size": "large", "sure": false }')
    await page.getByRole('button', { name: 'JSON' }).click()
    await page.getByRole('button', { name: 'Add picture' }).click()
    const input = page.getByLabel('picture', { exact: true })
    await input.setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') })
    await page.getByText('a.txt is text/plain; image/png are taken').waitFor()
    await input.setInputFiles({ name: 'b.png', mimeType: 'image/png', buffer: Buffer.alloc(2_000) })
    await page.getByText('b.png has 2.0 kB; at most 1.0 kB are taken').waitFor()
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    await input.setInputFiles({ name: 'c.png', mimeType: 'image/png', buffer: png })
    await page.getByText('image/png, 70 B, 1 × 1').waitFor()
    await page.getByRole('button', { name: 'Add grid' }).click()
    await page.getByLabel('rows', { exact: true }).fill('3')
    await page.getByRole('group', { name: /^grid/ }).getByRole('textbox').fill('1, 2, 3, 4, 5, 6')
    await runCall(page)
    const answer = await answerOf(page, 'Browser').textContent()
    expect(answer).toMatch(/bytes70/)
    expect(answer).toMatch(/rows3/)
    expect(complaints).toEqual([])
  })

  it('hears a sound file of another rate, and draws the answer over it', async () => {
    await using opened = await openPlayground(browser, scene, 'speech')
    const { page, complaints, keep } = opened
    const samples = Array.from({ length: 48_000 }, (_, index) => 0.4 * Math.sin(index / 20))
    const buffer = waveFile(samples, 48_000)
    await page
      .getByLabel('audio from an audio file')
      .setInputFiles({ name: 'a.wav', mimeType: 'audio/wav', buffer })
    await page.getByText('16000 samples, 1.00 s at 16000 Hz').waitFor()
    await page.getByRole('radio', { name: 'Both' }).check()
    await runCall(page)
    await page.getByText(/The answers agree/).waitFor()
    const points = (await page.locator('.wave .overlay').getAttribute('points')) ?? ''
    // A line of two ends for each of the 512 samples that are heard at a time.
    expect(points.split(' ')).toHaveLength(2 * Math.ceil(16_000 / 512))
    expect(await page.locator('input, textarea').count()).toBeLessThan(20)
    await keep('speech-light')
    expect(complaints).toEqual([])
  })

  it('records from a microphone', async () => {
    await using loud = await launchChromium({
      flags: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    })
    await using opened = await openPlayground(loud, scene, 'speech')
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Record' }).click()
    await page.getByText('Recording…').waitFor()
    // What is recorded is as long as it takes.
    await page.waitForFunction(
      (start) => performance.now() - start > 500,
      await page.evaluate(() => performance.now()),
    )
    await page.getByRole('button', { name: 'Stop recording' }).click()
    await page.getByText(/[1-9]\d{2,} samples/).waitFor()
    expect(complaints).toEqual([])
  })
})
