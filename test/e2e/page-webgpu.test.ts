import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { pageAdding } from '../support/page-functions.ts'
import { type PageScene, startPageScene, type TestPage } from '../support/page-scene.ts'

describe.runIf(hasChromium)('a page with a WebGPU adapter', { timeout: 120_000 }, () => {
  let scene: PageScene
  let browser: Browser
  let page: TestPage

  beforeAll(async () => {
    scene = await startPageScene({
      files: {
        'functions/add.ts': pageAdding,
        'functions/_models/five/model.onnx': addConstantModel(5),
      },
    })
    browser = await launchChromium({ webgpu: true })
    page = await scene.open(browser, { engine: { softwareAdapters: true } })
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  const onWebgpu = (y: number) => ({ output: { y }, ran: { where: 'browser', provider: 'webgpu' } })

  it('answers 20 calls at once on one session, each its own, in their order', async () => {
    const order: number[] = []
    const calls = Array.from({ length: 20 }, async (_, x) => {
      const answer = await page.ask('add', { x }, { where: 'browser' })
      order.push(x)
      return answer
    })
    expect(await Promise.all(calls)).toMatchObject(calls.map((_, x) => onWebgpu(x + 5)))
    expect(order).toEqual(calls.map((_, x) => x))
  })

  it('answers although the device is lost in the middle of a call', async () => {
    const session = await browser.newBrowserCDPSession()
    const answer = await scene.hold({
      call: (hold) => page.ask('add', { x: 1, hold }, { where: 'browser' }),
      meanwhile: () => session.send('Browser.crashGpuProcess'),
    })
    expect(answer).toMatchObject(onWebgpu(6))
    expect(await page.ask('add', { x: 2 }, { where: 'browser' })).toMatchObject(onWebgpu(7))
  })

  it('takes an adapter that computes in software for none unless it is asked to', async () => {
    await page.reload({ engine: {} })
    expect(await page.ask('add', { x: 1 }, { where: 'browser' })).toMatchObject({
      output: { y: 6 },
      ran: { where: 'browser', provider: 'wasm', reason: expect.stringMatching(/software/) },
    })
  })

  it('complains of the lost device in the console, and of nothing else', () => {
    expect(page.complaints.length).toBeGreaterThan(0)
    expect(page.complaints.filter((line) => !line.includes('GPU device was lost'))).toEqual([])
  })
})
