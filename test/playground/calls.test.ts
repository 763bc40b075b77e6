import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { openPlayground, type PlaygroundScene, runCall, startPlayground } from './playground-scene.ts'

describe.runIf(hasChromium)('calls of the playground', { timeout: 120_000 }, () => {
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

  it('show items of a stream as they come, and stop where somebody stops them', async () => {
    await using opened = await openPlayground(browser, scene, 'stream')
    const { page, complaints, keep } = opened
    await page.getByLabel('to', { exact: true }).fill('100000')
    await page.getByLabel('pauseMs').fill('20')
    await page.getByRole('radio', { name: 'Server' }).check()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('{"count":3}').waitFor()
    await keep('stream-light')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('cancelled').waitFor()
    const seen = await page.getByRole('list', { name: 'Items of the stream' }).textContent()
    expect(seen).not.toContain('"count":100000')
    expect(complaints).toEqual([])
  })

  it('are repeated, timed and drawn, until somebody stops them', async () => {
    await using opened = await openPlayground(browser, scene, 'near')
    const { page, complaints } = opened
    expect(await page.getByRole('radio', { name: 'Browser' }).isDisabled()).toBe(true)
    await page.getByLabel('How often to repeat').fill('5')
    await page.getByRole('button', { name: 'Repeat' }).click()
    await page.getByRole('row', { name: /Server 5 [\d.]+ m?s [\d.]+ m?s/ }).waitFor()
    expect(await page.locator('.plot .server .dots').getAttribute('d')).toMatch(/^(M[\d. ]+h0){5}$/)
    await page.getByLabel('How often to repeat').fill('1000')
    await page.getByRole('button', { name: 'Repeat' }).click()
    await page.getByRole('row', { name: /Server (?:1\d|[2-9]\d)/ }).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'Repeat' }).and(page.locator('[aria-disabled=false]')).waitFor()
    expect(complaints).toEqual([])
  })

  it('say where two answers differ', async () => {
    await using opened = await openPlayground(browser, scene, 'placed')
    const { page, complaints } = opened
    await page.getByRole('radio', { name: 'Both' }).check()
    await runCall(page)
    await page.getByText('The answers differ at /place: "page" against "server"').waitFor()
    expect(complaints).toEqual([])
  })

  it('fall back to the server where the page cannot answer, and say why', async () => {
    await using opened = await openPlayground(browser, scene, 'fussy')
    const { page, complaints } = opened
    await runCall(page)
    const answer = page.getByRole('region', { name: 'Answer: Server' })
    await answer
      .getByText('Fell back to the server: PROVIDER_UNAVAILABLE Pages lack what it needs.')
      .waitFor()
    await page.getByRole('radio', { name: 'Browser' }).check()
    await runCall(page)
    expect(await page.getByRole('alert').textContent()).toMatch(/PROVIDER_UNAVAILABLE.*run it on the server/)
    // Functions of a page write their log to its console.
    expect(complaints.filter((text) => !text.startsWith('[isoplex] A function failed'))).toEqual([])
  })

  it('carry a token that is never shown, and say what to do where it is not taken', async () => {
    await using opened = await openPlayground(browser, scene, 'digits')
    const { page } = opened
    await page.getByRole('radio', { name: 'Server' }).check()
    await page.getByLabel('Model token').fill('not.a.token')
    await runCall(page)
    expect(await page.getByRole('alert').textContent()).toMatch(
      /TOKEN_INVALID[\s\S]*isoplex token --model ID[\s\S]*Request \w+/,
    )
    const token = await scene.server.token('digits')
    await page.getByLabel('Model token').fill(token)
    await runCall(page)
    await page.getByText(/total/).waitFor()
    expect(await page.getByText('serve_multiplexed_model_id: $TOKEN').count()).toBe(1)
    expect(await page.content()).not.toContain(token)
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([
      0,
      0,
      '',
    ])
  })

  it('download a model once, and again when what is kept was cleared', async () => {
    await using opened = await openPlayground(browser, scene, 'digits')
    const { page, complaints } = opened
    const downloads: string[] = []
    // A worker's requests are its context's, not its page's.
    page.context().on('request', (request) => {
      if (request.url().includes('/-/registry/artifacts/')) downloads.push(request.url())
    })
    const watched = await page.evaluateHandle(() => {
      const names = new Set<string>()
      const note = (): void => {
        for (const bar of document.querySelectorAll('progress')) names.add(bar.ariaLabel ?? '')
      }
      new MutationObserver(note).observe(document.body, { childList: true, subtree: true, attributes: true })
      return names
    })
    await page.getByRole('radio', { name: 'Browser' }).check()
    await runCall(page)
    await page.getByRole('row', { name: /digits 1 wasm 1/ }).waitFor()
    expect(await watched.evaluate((names) => [...names])).toContain('Downloading digits')
    const first = downloads.length
    expect(first).toBeGreaterThan(0)
    await runCall(page)
    await page.getByRole('row', { name: /digits 1 wasm 2/ }).waitFor()
    expect(downloads).toHaveLength(first)
    await page.getByRole('button', { name: 'Clear what is kept' }).click()
    await page.getByText(/^Cleared/).waitFor()
    await runCall(page)
    await page.getByRole('row', { name: /digits 1 wasm 1/ }).waitFor()
    expect(downloads.length).toBeGreaterThan(first)
    expect(complaints).toEqual([])
  })

  it('come from a page whose controls all have names, and whose script is small', async () => {
    await using opened = await openPlayground(browser, scene, 'kinds')
    const { page } = opened
    for (const name of ['inner', 'picture', 'grid'])
      await page.getByRole('button', { name: `Add ${name}` }).click()
    await page.getByRole('button', { name: 'Add an item' }).click()
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement>('button, input, select, textarea, [role=img]')]
        .filter((control) => {
          const label =
            control.getAttribute('aria-label') ?? control.labels?.[0]?.textContent ?? control.textContent
          return label?.trim() === ''
        })
        .map((control) => control.outerHTML),
    )
    expect(nameless).toEqual([])
    const built = await fetch(`${scene.server.url}/-/playground`)
    expect(built.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval'")
    const { outputs } = await Bun.build({
      entrypoints: [fileURLToPath(new URL('../../runtime/playground/main.tsx', import.meta.url))],
      target: 'browser',
      conditions: ['bun'],
      minify: true,
    })
    const script = outputs.find(({ kind }) => kind === 'entry-point')
    const bytes = gzipSync((await script?.text()) ?? '').length
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThan(60_000)
  })

  it('are of the function that the address names, and of no other', async () => {
    await using opened = await openPlayground(browser, scene, 'near')
    const { page, complaints } = opened
    await page.getByRole('link', { name: /stream/ }).click()
    expect(new URL(page.url()).hash).toBe('#/stream')
    await page.goBack()
    await page.getByRole('heading', { name: 'near', exact: true }).waitFor()
    await page.goto(`${scene.server.url}/-/playground#/nothing`)
    await page.getByText('There is no function “nothing”.').waitFor()
    await page.getByLabel('Search the functions').fill('zzz')
    expect(await page.getByRole('navigation').getByRole('list').getByRole('link').count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
