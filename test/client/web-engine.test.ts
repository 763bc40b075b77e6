import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { webEngine } from '../../runtime/client/web-engine.ts'
import { hasChromium, launchChromiumIn } from '../support/chromium.ts'
import { act, add, ask, type EnginePages, openEnginePages } from './engine-pages.ts'

let pages: EnginePages

beforeAll(async () => {
  if (hasChromium) pages = await openEnginePages()
})
afterEach(() => pages?.leave())
afterAll(() => pages?.[Symbol.asyncDispose]())

describe.runIf(hasChromium)('a function in a page', { timeout: 60_000 }, () => {
  it('answers with the model of its token, and says what computed it', async () => {
    const page = await pages.open()
    const outcome = await add(page, pages.offer(5))
    expect(outcome).toMatchObject({
      value: { y: 6, model: 'plus-5' },
      run: { provider: 'wasm', model: { id: 'plus-5', version: '1' } },
    })
    expect(outcome.stages).toEqual(['download', 'load'])
    expect(page.workers()).toHaveLength(1)
  })

  it('answers twenty calls at once, each with its own', async () => {
    const page = await pages.open()
    const [five, seven] = [pages.offer(5), pages.offer(7)]
    const answers = await page.evaluate(
      (tokens) =>
        Promise.all(
          Array.from({ length: 20 }, (_, x) =>
            window.ask({ name: 'adding', token: tokens[x % 2] ?? '', json: { x } }),
          ),
        ),
      [five, seven],
    )
    expect(answers.map(({ value }) => value)).toMatchObject(
      Array.from({ length: 20 }, (_, x) => ({ y: x + (x % 2 === 0 ? 5 : 7) })),
    )
  })

  it('is let be by an error that its code leaves to nobody', async () => {
    const page = await pages.open()
    await act(page, 'stray')
    const [worker] = page.workers()
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    expect(page.workers()).toEqual([worker])
  })

  it('runs under a policy that forbids code made of text', async () => {
    pages.site.headers['content-security-policy'] = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
    try {
      const page = await pages.open()
      expect(await add(page, pages.offer(5))).toMatchObject({ value: { y: 6 } })
      expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    } finally {
      delete pages.site.headers['content-security-policy']
    }
  })

  it('may come from another origin', async () => {
    const page = await pages.open()
    await page.evaluate((assets) => window.start({ assets }), `${pages.site.otherUrl}/-/browser`)
    expect(await add(page, pages.offer(5))).toMatchObject({ value: { y: 6 } })
    expect(page.workers()[0]?.url()).toMatch(/^blob:/)
  })

  it('is gone with the engine', async () => {
    const page = await pages.open()
    const waiting = act(page, 'wait')
    await page.waitForEvent('worker')
    await page.evaluate(async () => window.engine[Symbol.asyncDispose]())
    expect(await waiting).toMatchObject({ code: 'CANCELLED' })
    expect(await act(page, 'speak')).toMatchObject({ code: 'TypeError' })
    await expect.poll(() => page.workers(), { timeout: 30_000 }).toEqual([])
  })
})

describe.runIf(hasChromium)('a page whose server', { timeout: 60_000 }, () => {
  it('is gone after the first visit works on', async () => {
    // What a browser keeps of files of this size it keeps on a disk.
    const folder = await mkdtemp(join(tmpdir(), 'isoplex-profile-'))
    const context = await launchChromiumIn(folder)
    pages.site.headers['cache-control'] = 'max-age=3600'
    try {
      const token = pages.offer(5)
      await add(await pages.open(context), token)
      await pages.site.proxy.leave()
      const page = await pages.open(context)
      expect(await add(page, token, 2)).toMatchObject({ value: { y: 7 } })
      expect(await add(page, pages.offer(7))).toMatchObject({ code: 'FETCH_FAILED' })
      await page.evaluate(() => window.engine.clear())
      await page.evaluate(() => window.start())
      expect(await add(page, token, 2)).toMatchObject({ code: 'FETCH_FAILED' })
    } finally {
      delete pages.site.headers['cache-control']
      await pages.site.proxy.return()
      await context.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('is gone before the first request works once it is back', async () => {
    const page = await pages.open()
    await pages.site.proxy.leave()
    expect(await add(page, pages.offer(5))).toMatchObject({ code: 'FETCH_FAILED' })
    await pages.site.proxy.return()
    expect(await add(page, pages.offer(5))).toMatchObject({ value: { y: 6 } })
  })

  it('is gone while functions are fetched works once it is back', async () => {
    const page = await pages.open()
    await act(page, 'speak')
    await pages.site.proxy.leave()
    expect(await add(page, pages.offer(5))).toMatchObject({ code: 'FETCH_FAILED' })
    await pages.site.proxy.return()
    expect(await add(page, pages.offer(5))).toMatchObject({ value: { y: 6 } })
  })

  it('refuses a token that it took on an earlier page is obeyed, offline too', async () => {
    const context = await pages.browser.newContext()
    const token = pages.offer(11)
    expect(await add(await pages.open(context), token)).toMatchObject({ value: { y: 12 } })
    const page = await pages.open(context)
    pages.site.models.delete(token)
    expect(await add(page, token)).toMatchObject({ code: 'TOKEN_INVALID' })
    await pages.site.proxy.leave()
    try {
      expect(await add(page, token)).toMatchObject({ code: 'FETCH_FAILED' })
    } finally {
      await pages.site.proxy.return()
    }
  })

  it('lacks the module of a function, or has one that throws, says so', async () => {
    const page = await pages.open()
    {
      using _ = pages.site.proxy.harm({ path: /endless/, harm: 'miss' })
      expect(await ask(page, { name: 'endless', json: {} })).toMatchObject({ code: 'FUNCTION_BROKEN' })
    }
    const broken = await ask(page, { name: 'broken', json: {} })
    expect(broken).toMatchObject({ code: 'FUNCTION_BROKEN' })
    expect(broken.message).not.toContain('secret')
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
  })

  it('lacks a file of ONNX Runtime says so, and answers once it has it', async () => {
    const page = await pages.open()
    const token = pages.offer(5)
    {
      using _ = pages.site.proxy.harm({ path: /ort-.*\.wasm$/, harm: 'miss' })
      const outcome = await add(page, token)
      expect(outcome).toMatchObject({
        code: 'FETCH_FAILED',
        message: expect.stringMatching(/ONNX Runtime's own files cannot be had/),
      })
    }
    expect(await add(page, token)).toMatchObject({ value: { y: 6 } })
  })

  it('sends questions elsewhere is not followed', async () => {
    const page = await pages.open()
    const elsewhere = `${pages.site.otherUrl}/-/browser/index.json`
    await page.route('**/index.json', (route) =>
      route.fulfill({ status: 307, headers: { location: elsewhere } }),
    )
    const outcome = await act(page, 'speak')
    expect(outcome).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/elsewhere/) })
    await page.unroute('**/index.json')
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
  })

  it('is behind a network that sends questions elsewhere takes nothing from what is kept', async () => {
    const context = await pages.browser.newContext()
    expect(await act(await pages.open(context), 'speak')).toMatchObject({ value: { act: 'speak' } })
    const page = await pages.open(context)
    const login = `${pages.site.otherUrl}/-/browser/index.json`
    await page.route('**/index.json', (route) => route.fulfill({ status: 302, headers: { location: login } }))
    expect(await act(page, 'speak')).toMatchObject({ code: 'FETCH_FAILED' })
    await page.unroute('**/index.json')
    await page.route('**/index.json', (route) => route.abort())
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    await context.close()
  })

  it('has functions that no page may run knows them as such', async () => {
    const page = await pages.open()
    const offers = await page.evaluate(() =>
      Promise.all(
        ['adding', 'nothing', 'toString'].map((name) => window.engine.offers(name, location.origin)),
      ),
    )
    expect(offers).toEqual([true, false, false])
    expect(await ask(page, { name: 'nothing', json: {} })).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  })
})

describe('the engine of a page', () => {
  it.each([
    [{ provider: 'gpu' as never }, '"provider"'],
    [{ maxModelBytes: 0 }, '"maxModelBytes"'],
    [{ maxModelBytes: Number.NaN }, '"maxModelBytes"'],
    [{ assets: 'http://' }, '"assets"'],
  ])('refuses %j', (options, named) => {
    expect(() => webEngine(options)).toThrow(TypeError)
    expect(() => webEngine(options)).toThrow(named)
  })

  it('says where there are no workers, as in Node', async () => {
    vi.stubGlobal('Worker', undefined)
    Reflect.deleteProperty(globalThis, 'Worker')
    try {
      await using engine = webEngine()
      await expect(engine.offers('a', 'http://127.0.0.1:1')).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        details: { missing: ['worker'] },
      })
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
