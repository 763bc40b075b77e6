import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium, launchChromiumIn } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import type { Asked, Outcome } from './fixtures/engine-page.ts'
import { openPageSite, type PageSite } from './page-site.ts'

let browser: Browser
let site: PageSite

beforeAll(async () => {
  if (!hasChromium) return
  site = await openPageSite()
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await site?.[Symbol.asyncDispose]()
})

async function open(context?: BrowserContext): Promise<Page> {
  const page = await (context ?? (await browser.newContext())).newPage()
  await page.goto(`${site.url}/page`)
  return page
}

const ask = (page: Page, asked: Asked): Promise<Outcome> => page.evaluate((it) => window.ask(it), asked)
const act = (page: Page, act: string, mark = ''): Promise<Outcome> =>
  ask(page, { name: 'behaving', json: { act, mark } })
const add = (page: Page, token: string, x = 1): Promise<Outcome> =>
  ask(page, { name: 'adding', token, json: { x } })

function offer(constant: number): string {
  const token = `plus-${constant}`
  site.models.set(token, addConstantModel(constant))
  return token
}

describe.runIf(hasChromium)('a function in a page', { timeout: 60_000 }, () => {
  it('answers with the model of its token, and says what computed it', async () => {
    const page = await open()
    const outcome = await add(page, offer(5))
    expect(outcome).toMatchObject({
      value: { y: 6, model: 'plus-5' },
      run: { provider: 'wasm', model: { id: 'plus-5', version: '1' } },
    })
    expect(outcome.stages).toEqual(['download', 'load'])
    expect(page.workers()).toHaveLength(1)
  })

  it('answers twenty calls at once, each with its own', async () => {
    const page = await open()
    const [five, seven] = [offer(5), offer(7)]
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
    const page = await open()
    await act(page, 'stray')
    const [worker] = page.workers()
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    expect(page.workers()).toEqual([worker])
  })

  it('runs under a policy that forbids code made of text', async () => {
    site.headers['content-security-policy'] = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
    try {
      const page = await open()
      expect(await add(page, offer(5))).toMatchObject({ value: { y: 6 } })
      expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    } finally {
      delete site.headers['content-security-policy']
    }
  })

  it('may come from another origin', async () => {
    const page = await open()
    await page.evaluate((assets) => window.start({ assets }), `${site.otherUrl}/-/browser`)
    expect(await add(page, offer(5))).toMatchObject({ value: { y: 6 } })
    expect(page.workers()[0]?.url()).toMatch(/^blob:/)
  })

  it('is gone with the engine', async () => {
    const page = await open()
    const waiting = act(page, 'wait')
    await page.waitForEvent('worker')
    await page.evaluate(async () => window.engine[Symbol.asyncDispose]())
    expect(await waiting).toMatchObject({ code: 'CANCELLED' })
    expect(await act(page, 'speak')).toMatchObject({ code: 'TypeError' })
    await expect.poll(() => page.workers()).toEqual([])
  })
})

describe.runIf(hasChromium)('a worker that dies', { timeout: 60_000 }, () => {
  it('has its requests answered by the next one', async () => {
    const page = await open()
    const token = offer(5)
    await add(page, token)
    const answers = await Promise.all([
      act(page, 'die once', 'a'),
      act(page, 'die once', 'b'),
      add(page, token),
    ])
    expect(answers.map(({ value }) => value)).toMatchObject([
      { act: 'die once' },
      { act: 'die once' },
      { y: 6 },
    ])
  })

  it('fails the request that it dies of again, and no other', async () => {
    const page = await open()
    const answers = await Promise.all([
      act(page, 'die'),
      act(page, 'speak'),
      act(page, 'die'),
      add(page, offer(5)),
      act(page, 'speak'),
    ])
    expect(answers).toMatchObject([
      { code: 'REPLICA_CRASHED' },
      { value: { act: 'speak' } },
      { code: 'REPLICA_CRASHED' },
      { value: { y: 6 } },
      { value: { act: 'speak' } },
    ])
  })

  it('is replaced where nothing was in flight', async () => {
    const page = await open()
    await act(page, 'speak')
    const [worker] = page.workers()
    await worker?.evaluate(() => self.close())
    await expect.poll(() => act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    expect(page.workers()).not.toContain(worker)
  })

  it('breaks its streams off', async () => {
    const page = await open()
    expect(await ask(page, { name: 'endless', json: { diesAfter: 40 } })).toMatchObject({
      code: 'REPLICA_CRASHED',
    })
  })

  it('leaves the workers of other tabs alone', async () => {
    const context = await browser.newContext()
    const [first, second] = [await open(context), await open(context)]
    const token = offer(5)
    const before = await Promise.all([add(first, token), add(second, token)])
    expect(before).toMatchObject([{ value: { y: 6 } }, { value: { y: 6 } }])
    const [worker] = second.workers()
    expect(await act(first, 'die once', 'c')).toMatchObject({ value: { act: 'die once' } })
    expect(await add(second, token)).toMatchObject({ value: { y: 6 } })
    expect(second.workers()).toEqual([worker])
  })

  it('cannot be started where its module is missing, and can once it is back', async () => {
    const page = await open()
    {
      using _ = site.proxy.harm({ path: /page-worker/, harm: 'miss' })
      expect(await act(page, 'speak')).toMatchObject({ code: 'FETCH_FAILED' })
    }
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
  })
})

describe.runIf(hasChromium)('a request whose time is up', { timeout: 60_000 }, () => {
  it.each(['loop', 'ignore'])(
    'ends a worker that does not let go (%s), and the others run again',
    async (what) => {
      const page = await open()
      await act(page, 'speak')
      const [worker] = page.workers()
      const [bad, good] = await Promise.all([act(page, what), add(page, offer(5))])
      expect(bad).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
      expect(good).toMatchObject({ value: { y: 6 } })
      await expect.poll(() => page.workers()).not.toContain(worker)
      expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    },
  )

  it('leaves a worker be that lets go', async () => {
    const page = await open()
    expect(await act(page, 'wait')).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const [worker] = page.workers()
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    expect(page.workers()).toEqual([worker])
  })

  it('fails with the reason of its signal, if that comes first', async () => {
    const page = await open()
    const json = { act: 'wait' }
    expect(await ask(page, { name: 'behaving', json, abortAfterMs: 100 })).toMatchObject({
      code: 'TimeoutError',
    })
  })
})

describe.runIf(hasChromium)('a stream in a page', { timeout: 60_000 }, () => {
  it('is read as far as the page wants, and ends then', async () => {
    const page = await open()
    const json = { diesAfter: 1_000 }
    expect(await ask(page, { name: 'endless', json, items: 60 })).toMatchObject({ value: 60 })
    const [worker] = page.workers()
    // Had it gone on, its worker would have died by now.
    expect(await ask(page, { name: 'endless', json, items: 60 })).toMatchObject({ value: 60 })
    expect(page.workers()).toEqual([worker])
  })
})

describe.runIf(hasChromium)('a page whose server', { timeout: 60_000 }, () => {
  it('is gone after the first visit works on', async () => {
    // What a browser keeps of files of this size it keeps on a disk.
    const folder = await mkdtemp(join(tmpdir(), 'isoplex-profile-'))
    const context = await launchChromiumIn(folder)
    site.headers['cache-control'] = 'max-age=3600'
    try {
      const token = offer(5)
      await add(await open(context), token)
      await site.proxy.leave()
      const page = await open(context)
      expect(await add(page, token, 2)).toMatchObject({ value: { y: 7 } })
      expect(await add(page, offer(7))).toMatchObject({ code: 'FETCH_FAILED' })
      await page.evaluate(() => window.engine.clear())
      await page.evaluate(() => window.start())
      expect(await add(page, token, 2)).toMatchObject({ code: 'FETCH_FAILED' })
    } finally {
      delete site.headers['cache-control']
      await site.proxy.return()
      await context.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('is gone before the first request works once it is back', async () => {
    const page = await open()
    await site.proxy.leave()
    expect(await add(page, offer(5))).toMatchObject({ code: 'FETCH_FAILED' })
    await site.proxy.return()
    expect(await add(page, offer(5))).toMatchObject({ value: { y: 6 } })
  })

  it('is gone while functions are fetched works once it is back', async () => {
    const page = await open()
    await act(page, 'speak')
    await site.proxy.leave()
    expect(await add(page, offer(5))).toMatchObject({ code: 'FETCH_FAILED' })
    await site.proxy.return()
    expect(await add(page, offer(5))).toMatchObject({ value: { y: 6 } })
  })

  it('refuses a token that it took on an earlier page is obeyed, offline too', async () => {
    const context = await browser.newContext()
    const token = offer(11)
    expect(await add(await open(context), token)).toMatchObject({ value: { y: 12 } })
    const page = await open(context)
    site.models.delete(token)
    expect(await add(page, token)).toMatchObject({ code: 'TOKEN_INVALID' })
    await site.proxy.leave()
    try {
      expect(await add(page, token)).toMatchObject({ code: 'FETCH_FAILED' })
    } finally {
      await site.proxy.return()
    }
  })

  it('lacks the module of a function, or has one that throws, says so', async () => {
    const page = await open()
    {
      using _ = site.proxy.harm({ path: /endless/, harm: 'miss' })
      expect(await ask(page, { name: 'endless', json: {} })).toMatchObject({ code: 'FUNCTION_BROKEN' })
    }
    const broken = await ask(page, { name: 'broken', json: {} })
    expect(broken).toMatchObject({ code: 'FUNCTION_BROKEN' })
    expect(broken.message).not.toContain('secret')
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
  })

  it('has functions that no page may run knows them as such', async () => {
    const page = await open()
    const offers = await page.evaluate(() =>
      Promise.all(
        ['adding', 'nothing', 'toString'].map((name) => window.engine.offers(name, location.origin)),
      ),
    )
    expect(offers).toEqual([true, false, false])
    expect(await ask(page, { name: 'nothing', json: {} })).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  })
})
