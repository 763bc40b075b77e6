import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { pageAdding } from '../support/page-functions.ts'
import { type PageScene, startPageScene } from '../support/page-scene.ts'

const wasm = /^\/-\/browser\/.*\.wasm$/

describe.runIf(hasChromium)('a page before isoplex serve --build', { timeout: 60_000 }, () => {
  let scene: PageScene
  let browser: Browser

  beforeAll(async () => {
    scene = await startPageScene({
      mode: 'built',
      files: {
        'functions/add.ts': pageAdding,
        'functions/_models/five/model.onnx': addConstantModel(5),
        'functions/_models/seven/model.onnx': addConstantModel(7),
        'functions/_models/seven/isoplex.json': '{ "browser": true }',
      },
    })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  it('gets no model that is not for pages, nor ONNX Runtime in vain', async () => {
    const page = await scene.open(browser)
    const answer = await page.ask('add', { x: 1 }, { where: 'browser' })
    expect(answer.error).toMatchObject({ code: 'MODEL_FORBIDDEN', details: { model: 'five' } })
    expect(await page.ask('add', { x: 1 })).toMatchObject({
      output: { y: 6, model: 'five' },
      ran: { where: 'server', fellBack: { code: 'MODEL_FORBIDDEN' } },
    })
    expect(scene.proxy.requestsFor(wasm)).toEqual([])
    await page.page.close()
  })

  it('computes with a model that is', async () => {
    const page = await scene.open(browser, { token: await scene.server.token('seven') })
    expect(await page.ask('add', { x: 1 })).toMatchObject({
      output: { y: 8, model: 'seven' },
      ran: { where: 'browser', provider: 'wasm', model: { id: 'seven' }, fellBack: null },
    })
    expect(page.complaints).toEqual([])
    await page.page.close()
  })

  it('may import the client from the server, and bundle nothing', async () => {
    const { page } = await scene.open(browser)
    const options = { baseUrl: scene.proxy.url, token: await scene.server.token('seven') }
    // As text: what is compiled here imports otherwise than a page.
    const answer = await page.evaluate(`(async () => {
      const { createClient, webEngine } = await import('${options.baseUrl}/-/browser/client.js')
      const client = createClient({ ...${JSON.stringify(options)}, local: webEngine() })
      const { output, ran } = await client.add.infer({ x: 1 })
      return { y: output.y, where: ran.where }
    })()`)
    expect(answer).toEqual({ y: 8, where: 'browser' })
    await page.close()
  })
})
