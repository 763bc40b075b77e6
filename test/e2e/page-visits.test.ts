import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { hasChromium, launchChromiumIn } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { pageAdding } from '../support/page-functions.ts'
import { type PageScene, startPageScene } from '../support/page-scene.ts'
import { until } from '../support/server.ts'

const artifacts = /^\/-\/registry\/artifacts\//
const wasm = /^\/-\/browser\/.*\.wasm$/
const weightBytes = 400_000

describe.runIf(hasChromium)('a page that is visited again', { timeout: 60_000 }, () => {
  let scene: PageScene
  let profile: string
  let browser: BrowserContext

  beforeAll(async () => {
    scene = await startPageScene({
      files: {
        'functions/add.ts': pageAdding,
        'functions/_models/five/model.onnx': addConstantModel(5, weightBytes),
      },
    })
    profile = await mkdtemp(join(tmpdir(), 'isoplex-profile-'))
    browser = await launchChromiumIn(profile)
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
    await rm(profile, { recursive: true, force: true })
  })

  const count = (path: RegExp): number => scene.proxy.requestsFor(path).length
  const inPage = { where: 'browser' } as const

  const expiredToken = async (): Promise<string> => {
    const [key] = await loadProjectKeys(join(scene.project.directory, '.isoplex'))
    const anHourAgo = () => Date.now() - 3_600_000
    return await createModelToken(key, { model: 'five', tenant: null, expiresInSeconds: 600, now: anHourAgo })
  }

  it('downloads a model once, for two tabs at once and for a browser that was closed since', async () => {
    const tabs = [await scene.open(browser), await scene.open(browser)]
    const answers = tabs.map((tab, place) => tab.ask('add', { x: place }, inPage))
    expect(await Promise.all(answers)).toMatchObject([{ output: { y: 5 } }, { output: { y: 6 } }])
    expect([count(artifacts), count(wasm)]).toEqual([1, 1])
    await browser.close()
    browser = await launchChromiumIn(profile)
    const page = await scene.open(browser)
    expect(await page.ask('add', { x: 2 }, inPage)).toMatchObject({ output: { y: 7 } })
    expect([count(artifacts), count(wasm)]).toEqual([1, 1])
    await page.page.close()
  })

  it('answers without a server, and a browser that was closed since does too', async () => {
    await scene.proxy.leave()
    await browser.close()
    browser = await launchChromiumIn(profile)
    const page = await scene.open(browser)
    expect(await page.ask('add', { x: 3 })).toMatchObject({ output: { y: 8 }, ran: { where: 'browser' } })
    const refused = await page.ask('add', { x: 3 }, { where: 'server' })
    expect(refused.error).toMatchObject({ code: 'FETCH_FAILED' })
    await scene.proxy.return()
    await page.page.close()
  })

  it('asks for the token again at each visit, and answers to no token that has expired', async () => {
    const page = await scene.open(browser, { token: await scene.server.token('five') })
    expect(await page.ask('add', { x: 1 }, inPage)).toMatchObject({ output: { y: 6 } })
    await page.reload({ token: await expiredToken() })
    for (const where of ['browser', 'auto', 'server'] as const) {
      const answer = await page.ask('add', { x: 1 }, { where })
      expect(answer.error).toMatchObject({ code: 'TOKEN_INVALID', details: { reason: 'expired' } })
    }
    await page.reload({ token: await scene.server.token('five') })
    expect(await page.ask('add', { x: 1 }, inPage)).toMatchObject({ output: { y: 6 } })
    await page.page.close()
  })

  it('takes a new version of a model, and forgets what is not asked for', async () => {
    const before = count(artifacts)
    const page = await scene.open(browser)
    await scene.project.write('functions/_models/five/model.onnx', addConstantModel(50, weightBytes))
    await scene.server.event(({ event, change }) => event === 'model' && change === 'updated')
    await page.reload()
    expect(await page.ask('add', { x: 1 }, inPage)).toMatchObject({ output: { y: 51 } })
    expect(count(artifacts)).toBe(before + 1)
    await page.clear()
    await page.reload()
    expect(await page.ask('add', { x: 1 }, inPage)).toMatchObject({ output: { y: 51 } })
    expect(count(artifacts)).toBe(before + 2)
    await page.page.close()
  })

  it('goes on with a download that an earlier visit left unfinished', async () => {
    const page = await scene.open(browser)
    await page.clear()
    {
      using _ = scene.proxy.harm({ path: artifacts, harm: 'stall', atByte: 300_000 })
      const left = page.ask('add', { x: 1 }, inPage).catch(() => 'left')
      await until(page.hasBytes)
      await page.reload()
      expect(await left).toBe('left')
    }
    expect(await page.ask('add', { x: 1 }, inPage)).toMatchObject({ output: { y: 51 } })
    expect(scene.proxy.requestsFor(artifacts).at(-1)?.range).toMatch(/^bytes=[1-9]\d*-/)
    await page.page.close()
  })

  it('answers where the browser has no room for the model, and downloads it for each visit', async () => {
    const page = await scene.open(browser)
    await page.clear()
    const session = await browser.newCDPSession(page.page)
    const origin = new URL(page.page.url()).origin
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 10_000 })
    const before = count(artifacts)
    for (const visit of [1, 2]) {
      await page.reload()
      expect(await page.ask('add', { x: visit }, inPage)).toMatchObject({ output: { y: 50 + visit } })
      expect(await page.ask('add', { x: visit }, inPage)).toMatchObject({ output: { y: 50 + visit } })
      expect(count(artifacts)).toBe(before + visit)
    }
    expect(page.complaints.join()).toContain('has to be downloaded again')
    await page.page.close()
  })
})
