import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { pageAdding } from '../support/page-functions.ts'
import { type PageScene, startPageScene } from '../support/page-scene.ts'

const wasm = /^\/-\/browser\/.*\.wasm$/

/** A graph that asks for one model, and leaves the other to the token. */
const twice = (model: string): string => `
import { Type } from '@sinclair/typebox'
import { bind, defineGraph, handle, input } from 'isoplex'
import add from './add.ts'
const asked = input(Type.Object({ x: Type.Number() }))
export default defineGraph({
  runs: ['server', 'browser'],
  input: asked,
  answer: { asked: bind(handle(add, { model: '${model}' }), asked), left: bind(add, asked) },
})
`

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
        'functions/_models/nine/model.onnx': addConstantModel(9),
        'functions/_models/nine/isoplex.json': '{ "browser": true }',
        'functions/twice.ts': twice('nine'),
        'functions/unmarked.ts': twice('five'),
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

  it('computes a graph with the models that it asks for, whatever the token names', async () => {
    const page = await scene.open(browser, { token: await scene.server.token('seven') })
    expect(await page.ask('twice', { x: 1 }, { where: 'browser' })).toMatchObject({
      output: { asked: { y: 10, model: 'nine' }, left: { y: 8, model: 'seven' } },
      ran: { where: 'browser', fellBack: null },
    })
    expect((await page.ask('unmarked', { x: 1 }, { where: 'browser' })).error).toMatchObject({
      code: 'MODEL_FORBIDDEN',
      details: { model: 'five' },
    })
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
