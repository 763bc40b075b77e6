import type { Page, Worker } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { act, add, ask, type EnginePages, openEnginePages } from './engine-pages.ts'
import type { Outcome } from './fixtures/engine-page.ts'

let pages: EnginePages

beforeAll(async () => {
  if (hasChromium) pages = await openEnginePages()
})
afterEach(() => pages?.leave())
afterAll(() => pages?.[Symbol.asyncDispose]())

describe.runIf(hasChromium)('a worker that dies', { timeout: 60_000 }, () => {
  it('has its requests answered by the next one', async () => {
    const page = await pages.open()
    const token = pages.offer(5)
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
    const page = await pages.open()
    const answers = await Promise.all([
      act(page, 'die'),
      act(page, 'speak'),
      act(page, 'die'),
      add(page, pages.offer(5)),
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

  it('fails what must not run twice', async () => {
    const page = await pages.open()
    const once = (dies: boolean): Promise<Outcome> => ask(page, { name: 'once', json: { dies } })
    expect(await once(true)).toMatchObject({ code: 'REPLICA_CRASHED' })
    const [innocent, ignoring] = await Promise.all([once(false), act(page, 'ignore')])
    expect([innocent.code, ignoring.code]).toEqual(['REPLICA_CRASHED', 'DEADLINE_EXCEEDED'])
    expect(innocent.message).toContain('not to be run twice')
  })

  it('is replaced where nothing was in flight', async () => {
    const page = await pages.open()
    await act(page, 'speak')
    const [worker] = page.workers()
    await worker?.evaluate(() => self.close())
    await expect
      .poll(() => act(page, 'speak'), { timeout: 30_000 })
      .toMatchObject({ value: { act: 'speak' } })
    expect(page.workers()).not.toContain(worker)
  })

  it('breaks its streams off', async () => {
    const page = await pages.open()
    expect(await ask(page, { name: 'endless', json: { diesAfter: 40 } })).toMatchObject({
      code: 'REPLICA_CRASHED',
    })
  })

  it('leaves the workers of other tabs alone', async () => {
    const context = await pages.browser.newContext()
    const [first, second] = [await pages.open(context), await pages.open(context)]
    const token = pages.offer(5)
    const before = await Promise.all([add(first, token), add(second, token)])
    expect(before).toMatchObject([{ value: { y: 6 } }, { value: { y: 6 } }])
    const [worker] = second.workers()
    expect(await act(first, 'die once', 'c')).toMatchObject({ value: { act: 'die once' } })
    expect(await add(second, token)).toMatchObject({ value: { y: 6 } })
    expect(second.workers()).toEqual([worker])
  })

  it('cannot be started where its module is missing, and can once it is back', async () => {
    const page = await pages.open()
    {
      using _ = pages.site.proxy.harm({ path: /page-worker/, harm: 'miss' })
      expect(await act(page, 'speak')).toMatchObject({ code: 'FETCH_FAILED' })
    }
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
  })
})

describe.runIf(hasChromium)('a request whose time is up', { timeout: 60_000 }, () => {
  it.each(['loop', 'ignore'])(
    'ends a worker that does not let go (%s), and the others run again',
    async (what) => {
      const page = await pages.open()
      await act(page, 'speak')
      const [worker] = page.workers()
      const [bad, good] = await Promise.all([act(page, what), add(page, pages.offer(5))])
      expect(bad).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
      expect(good).toMatchObject({ value: { y: 6 } })
      await expect.poll(() => page.workers(), { timeout: 30_000 }).not.toContain(worker)
      expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    },
  )

  it('leaves a worker be that lets go', async () => {
    const page = await pages.open()
    expect(await act(page, 'wait')).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const [worker] = page.workers()
    expect(await act(page, 'speak')).toMatchObject({ value: { act: 'speak' } })
    expect(page.workers()).toEqual([worker])
  })

  it('fails with the reason of its signal, if that comes first', async () => {
    const page = await pages.open()
    const json = { act: 'wait' }
    expect(await ask(page, { name: 'behaving', json, abortAfterMs: 100 })).toMatchObject({
      code: 'TimeoutError',
    })
  })
})

describe.runIf(hasChromium)('a stream in a page', { timeout: 60_000 }, () => {
  it('is read as far as the page wants, and ends then', async () => {
    const page = await pages.open()
    const json = { diesAfter: 1_000 }
    expect(await ask(page, { name: 'endless', json, items: 60 })).toMatchObject({ value: 60 })
    const [worker] = page.workers()
    // Had it gone on, its worker would have died by now.
    expect(await ask(page, { name: 'endless', json, items: 60 })).toMatchObject({ value: 60 })
    expect(page.workers()).toEqual([worker])
  })
})

describe.runIf(hasChromium)('models on a device', { timeout: 120_000 }, () => {
  let others: EnginePages

  beforeAll(async () => {
    if (hasChromium) others = await openEnginePages({ webgpu: true })
  })
  afterEach(() => others?.leave())
  afterAll(() => others?.[Symbol.asyncDispose]())

  /** A page that computes on webgpu, and its worker, whose device ends at the event `lose`. */
  const openOnDevice = async (): Promise<{ readonly page: Page; readonly worker: Worker | undefined }> => {
    const page = await others.open()
    await page.evaluate(() => window.start({ provider: 'webgpu', softwareAdapters: true }))
    await act(page, 'speak')
    const [worker] = page.workers()
    await worker?.evaluate(() => {
      const ask = GPUAdapter.prototype.requestDevice
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await ask.apply(this, options)
        addEventListener('lose', () => device.destroy())
        return device
      }
    })
    return { page, worker }
  }

  it('answer twenty calls at once, and go on in another worker where the device is lost', async () => {
    const { page, worker } = await openOnDevice()
    const token = others.offer(5)
    const addAll = (): Promise<Outcome[]> =>
      Promise.all(Array.from({ length: 20 }, (_, x) => add(page, token, x)))
    const expected = Array.from({ length: 20 }, (_, x) => ({
      value: { y: x + 5 },
      run: { provider: 'webgpu' },
    }))
    expect(await addAll()).toMatchObject(expected)
    await worker?.evaluate(() => void dispatchEvent(new Event('lose')))
    expect(await addAll()).toMatchObject(expected)
    expect(page.workers()).not.toContain(worker)
  })

  it('are computed anew where the device is lost while an answer is read from it', async () => {
    const { page, worker } = await openOnDevice()
    const token = others.offer(5)
    expect(await add(page, token)).toMatchObject({ value: { y: 6 } })
    await worker?.evaluate(() => {
      const map = GPUBuffer.prototype.mapAsync
      GPUBuffer.prototype.mapAsync = function (...range) {
        const mapping = map.apply(this, range)
        dispatchEvent(new Event('lose'))
        return mapping
      }
    })
    expect(await add(page, token, 2)).toMatchObject({ value: { y: 7 }, run: { provider: 'webgpu' } })
    expect(page.workers()).not.toContain(worker)
  })
})
