import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { pageAdding, pageFailing } from '../support/page-functions.ts'
import { type OpenOptions, type PageScene, startPageScene, type TestPage } from '../support/page-scene.ts'
import { until } from '../support/server.ts'

const artifacts = /^\/-\/registry\/artifacts\//
const wasm = /^\/-\/browser\/.*\.wasm$/
const bundles = /^\/-\/browser\/.*add.*\.js$/
/** An answer of the page; on the server, because of what was wrong with the page's. */
const sumOf = (y: number, fellBack: string | null = null) => ({
  output: { y },
  ran: fellBack === null ? { where: 'browser', fellBack } : { where: 'server', fellBack: { code: fellBack } },
})

describe.runIf(hasChromium)('a page', { timeout: 60_000 }, () => {
  let scene: PageScene
  let browser: Browser

  beforeAll(async () => {
    scene = await startPageScene({
      files: {
        'functions/add.ts': pageAdding,
        'functions/fail.ts': pageFailing,
        'functions/_models/five/model.onnx': addConstantModel(5, 4_000_000),
        'functions/_models/seven/model.onnx': addConstantModel(7),
      },
    })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  /** A page of somebody who has never been there, that keeps nothing once it is closed. */
  const visit = async (options: OpenOptions = {}): Promise<TestPage & AsyncDisposable> => {
    const context = await browser.newContext()
    const page = await scene.open(context, options)
    return { ...page, [Symbol.asyncDispose]: () => context.close() }
  }
  /** What the server was asked while something was done. */
  const askedWhile = async (path: RegExp, act: () => Promise<unknown>): Promise<number> => {
    const before = scene.proxy.requestsFor(path).length
    await act()
    return scene.proxy.requestsFor(path).length - before
  }

  it('goes on with an artifact where it was cut short', async () => {
    const stalled = scene.proxy.harm({ path: artifacts, harm: 'stall', atByte: 300_000, times: 1 })
    await using page = await visit()
    const answer = page.ask('add', { x: 1 }, { where: 'browser' })
    await until(page.hasBytes)
    stalled.cut()
    expect(await answer).toMatchObject(sumOf(6))
    // A browser asks beforehand whether it may ask for a part.
    const requests = scene.proxy.requestsFor(artifacts).filter(({ method }) => method === 'GET')
    expect(requests.map(({ range }) => range)).toEqual([null, expect.stringMatching(/^bytes=[1-9]\d*-/)])
  })

  it('says that an artifact cannot be had that is always cut short, and leaves it to the server', async () => {
    using _ = scene.proxy.harm({ path: artifacts, harm: 'cut', atByte: 10 })
    await using page = await visit()
    const answer = await page.ask('add', { x: 1 }, { where: 'browser' })
    expect(answer.error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'cut-off' } })
    expect(await page.ask('add', { x: 1 })).toMatchObject(sumOf(6, 'FETCH_FAILED'))
  })

  it('refuses an artifact that was altered, leaves it to the server, and keeps nothing of it', async () => {
    await using page = await visit()
    {
      using _ = scene.proxy.harm({ path: artifacts, harm: 'alter', atByte: 200_000 })
      const answer = await page.ask('add', { x: 1 }, { where: 'browser' })
      expect(answer.error).toMatchObject({ code: 'ARTIFACT_BROKEN' })
      expect(await page.ask('add', { x: 1 })).toMatchObject(sumOf(6, 'ARTIFACT_BROKEN'))
    }
    await page.reload()
    expect(await page.ask('add', { x: 1 }, { where: 'browser' })).toMatchObject(sumOf(6))
  })

  it('says that the module of a function is not there, and leaves it to the server', async () => {
    using _ = scene.proxy.harm({ path: bundles, harm: 'miss' })
    await using page = await visit()
    const answer = await page.ask('add', { x: 1 }, { where: 'browser' })
    expect(answer.error).toMatchObject({ code: 'FUNCTION_BROKEN' })
    expect(await page.ask('add', { x: 1 })).toMatchObject(sumOf(6, 'FUNCTION_BROKEN'))
  })

  it('answers by itself while the server is gone, and by the server once it is back', async () => {
    await using page = await visit()
    expect(await page.ask('add', { x: 1 })).toMatchObject(sumOf(6))
    await scene.proxy.leave()
    expect(await page.ask('add', { x: 2 })).toMatchObject(sumOf(7))
    const refused = await page.ask('add', { x: 2 }, { where: 'server' })
    expect(refused.error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'connection' } })
    await scene.proxy.return()
    expect(await page.ask('add', { x: 2 }, { where: 'server' })).toMatchObject({
      output: { y: 7 },
      ran: { where: 'server' },
    })
  })

  it('answers although its worker ends, between two calls and in the middle of one', async () => {
    await using page = await visit()
    await page.ask('add', { x: 1 }, { where: 'browser' })
    await page.endWorker()
    expect(await page.ask('add', { x: 2 }, { where: 'browser' })).toMatchObject(sumOf(7))
    const answer = await scene.hold({
      call: (hold) => page.ask('add', { x: 3, hold }, { where: 'browser' }),
      meanwhile: page.endWorker,
    })
    expect(answer).toMatchObject(sumOf(8))
  })

  it('does not ask the server again where the input is at fault', async () => {
    await using page = await visit()
    const asked = await askedWhile(/^\/fail$/, async () => {
      const answer = await page.ask('fail', { fail: 'input' })
      expect(answer.error).toMatchObject({ code: 'INPUT_INVALID', details: { issues: [{ path: '/fail' }] } })
      const unfit = await page.ask('fail', { fail: 'what' })
      expect(unfit.error).toMatchObject({ code: 'INPUT_INVALID' })
    })
    expect(asked).toBe(0)
  })

  it('leaves to the server what a function fails at in a page only', async () => {
    await using page = await visit()
    expect(await page.ask('fail', { fail: 'no' })).toMatchObject({ output: { inPage: true } })
    expect(await page.ask('fail', { fail: 'page' })).toMatchObject({
      output: { inPage: false },
      ran: { where: 'server', fellBack: { code: 'INTERNAL' } },
    })
    const answer = await page.ask('fail', { fail: 'page' }, { where: 'browser' })
    expect(answer.error).toMatchObject({ code: 'INTERNAL' })
  })

  it('gets no model that is larger than what it may hold', async () => {
    await using page = await visit({ engine: { maxModelBytes: 100_000 } })
    const answer = await page.ask('add', { x: 1 }, { where: 'browser' })
    expect(answer.error).toMatchObject({ code: 'MODEL_TOO_LARGE', details: { limitBytes: 100_000 } })
    expect(await page.ask('add', { x: 1 })).toMatchObject(sumOf(6, 'MODEL_TOO_LARGE'))
  })

  it('has no WebGPU where there is no adapter, says so, and leaves it to the server', async () => {
    await using page = await visit({ engine: { provider: 'webgpu' } })
    const answer = await page.ask('add', { x: 1 }, { where: 'browser' })
    expect(answer.error).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' })
    expect(await page.ask('add', { x: 1 })).toMatchObject(sumOf(6, 'PROVIDER_UNAVAILABLE'))
  })

  it('brings ONNX Runtime up while the model is on its way', async () => {
    await using page = await visit()
    const stalled = scene.proxy.harm({ path: artifacts, harm: 'stall', atByte: 10 })
    const before = scene.proxy.requestsFor(wasm).length
    const answer = page.ask('add', { x: 1 }, { where: 'browser' })
    await until(() => stalled.count > 0 && scene.proxy.requestsFor(wasm).length > before)
    stalled[Symbol.dispose]()
    expect(await answer).toMatchObject(sumOf(6))
  })

  it('gets no other artifact by a grant', async () => {
    const five = await scene.server.call('/-/grants/add')
    const token = await scene.server.token('seven')
    const seven = await scene.server.call('/-/grants/add', { token })
    expect([five.status, seven.status]).toEqual([200, 200])
    const foreign = five.json.url.replace(five.json.digest, seven.json.digest)
    expect(await scene.server.call(foreign)).toMatchObject({ status: 403, json: { code: 'GRANT_INVALID' } })
  })

  it('gets nothing where the server does not take its origin', async () => {
    await using page = await visit({ origin: 'foreign' })
    for (const where of ['browser', 'server', 'auto'] as const) {
      const answer = await page.ask('add', { x: 1 }, { where })
      expect(answer.error).toMatchObject({ code: 'FETCH_FAILED' })
    }
  })
})
