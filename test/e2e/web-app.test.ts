import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderRoutesTypes } from '../../runtime/build/routes-types.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { draw, sevenStroke } from '../support/drawing.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { type PageServer, startPageServer } from '../support/page-server.ts'
import { publishClient } from '../support/published-client.ts'
import { makeExampleProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { waveFile } from '../support/wave-file.ts'

const repository = new URL('../../', import.meta.url).pathname
const source = join(repository, 'test/fixtures/web-app')
const vite = join(repository, 'node_modules/vite/bin/vite.js')
const artifacts = /^\/-\/registry\/artifacts\//

/** Half a second that rises and falls, with overtones, as a voice does. */
const hum = Array.from({ length: 8_000 }, (_, place) => {
  const turns = (place / 16_000) * 140
  const tone = [1, 2, 3, 4, 5].reduce(
    (sum, overtone) => sum + Math.sin(2 * Math.PI * overtone * turns) / overtone,
    0,
  )
  return 0.25 * tone * Math.sin((Math.PI * place) / 8_000)
})

/** Builds the app as its makers would, which have isoplex among their packages. */
async function buildApp(
  root: string,
  outDirectory: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const child = Bun.spawn([process.execPath, vite, 'build', root, '--outDir', outDirectory], {
    env: { ...process.env, ...settings, NODE_ENV: 'production' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`Vite did not build the app:\n${said.join('\n')}`)
}

describe.runIf(hasChromium)('an app by Vite', { timeout: 60_000 }, () => {
  const stack = new AsyncDisposableStack()
  const complaints: string[] = []
  let project: TestProject
  let server: TestServer
  let proxy: FaultProxy
  let origin: PageServer
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'isoplex-web-app-'))
    stack.defer(() => rm(directory, { recursive: true, force: true }))
    origin = stack.use(startPageServer({ directory }))
    project = stack.use(await makeExampleProject({ corsOrigins: [origin.url] }))
    const { code, stderr } = await project.run('build', '--out', 'dist', '--no-compress')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    server = stack.use(await startServer(project, 'serve', ['--replicas', '1', '--build', 'dist']))
    proxy = stack.use(await startFaultProxy(server.url))
    await cp(join(project.directory, 'dist/browser'), join(directory, 'functions'), { recursive: true })
    const root = join(project.directory, 'web-app')
    await cp(source, root, { recursive: true })
    await publishClient(join(root, 'node_modules'))
    await buildApp(root, join(directory, 'app'), { VITE_SERVER: proxy.url })
    await buildApp(root, join(directory, 'static-app'), {
      VITE_SERVER: proxy.url,
      VITE_ASSETS: '/functions/',
    })
    const tokens = { digits: await server.token('digits'), speech: await server.token('speech') }
    for (const app of ['app', 'static-app']) {
      await writeFile(join(directory, app, 'session.json'), JSON.stringify(tokens))
    }
    browser = await launchChromium()
    stack.defer(() => browser.close())
    page = await browser.newPage()
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(`${origin.url}/app/`)
  })
  afterAll(() => stack.disposeAsync())

  const textOf = (id: string): Promise<string | null> => page.locator(`#${id}`).textContent()
  const choose = (where: string): Promise<unknown> => page.selectOption('#where', where)
  /** Has the digit read that is drawn, and gives the answer and what is said of it. */
  const readDigit = async (where: string): Promise<readonly [digit: string | null, ran: string | null]> => {
    await choose(where)
    await page.evaluate(() => document.querySelector('#digit-ran')?.replaceChildren())
    await page.click('#read')
    await page.waitForFunction(() =>
      ['#digit-ran', '#failure'].some((id) => document.querySelector(id)?.textContent !== ''),
    )
    expect(await textOf('failure')).toBe('')
    return [await textOf('digit'), await textOf('digit-ran')]
  }

  it('is typed by what isoplex writes of the functions', async () => {
    const manifest = JSON.parse(await readFile(join(project.directory, 'dist/manifest.json'), 'utf8'))
    const written = await readFile(join(source, 'src/routes.d.ts'), 'utf8')
    expect(renderRoutesTypes(manifest, (file) => `../../../../${file}`)).toBe(written)
  })

  it('reads a digit that is drawn, in the browser, on the server, and wherever it goes best', async () => {
    await draw(page, '#pad', sevenStroke)
    expect(await readDigit('browser')).toEqual([
      '7',
      expect.stringMatching(/^in this browser on wasm, digits/),
    ])
    expect(await readDigit('server')).toEqual(['7', expect.stringMatching(/^on the server/)])
    expect(await readDigit('auto')).toEqual(['7', expect.stringMatching(/^in this browser on wasm, digits/)])
    expect(proxy.requestsFor(artifacts)).toHaveLength(1)
  })

  it('hears the same in a recording here and there', async () => {
    const recording = { name: 'hum.wav', mimeType: 'audio/wav', buffer: waveFile(hum) }
    const heard: (string | null)[] = []
    for (const where of ['browser', 'server']) {
      await choose(where)
      await page.setInputFiles('#recording', [])
      await page.setInputFiles('#recording', recording)
      const place = where === 'browser' ? 'in this browser' : 'on the server'
      await page.locator('#speech-ran', { hasText: place }).waitFor()
      heard.push(await textOf('speech'))
    }
    expect(heard[0]).toMatch(/^\d+ % of it is speech$/)
    expect(heard[1]).toBe(heard[0])
  })

  it('shows how far the model is on its way, and downloads it anew once it is forgotten', async () => {
    const before = proxy.requestsFor(artifacts).length
    await page.click('#forget')
    await page.locator('#stage', { hasText: 'forgotten' }).waitFor()
    await page.reload()
    await draw(page, '#pad', sevenStroke)
    const stalled = proxy.harm({ path: artifacts, harm: 'stall', atByte: 72_000 })
    const read = readDigit('browser')
    await page.locator('#stage', { hasText: 'download' }).waitFor()
    await page.waitForFunction(() => (document.querySelector('progress')?.value ?? 0) > 0)
    expect(await page.evaluate(() => document.querySelector('progress')?.value)).toBeLessThan(1)
    stalled[Symbol.dispose]()
    expect(await read).toEqual(['7', expect.stringMatching(/^in this browser/)])
    expect(proxy.requestsFor(artifacts)).toHaveLength(before + 1)
  })

  it('takes functions from the folder that isoplex build wrote, hosted beside it', async () => {
    const before = proxy.requestsFor(/^\/-\/browser\//).length
    await page.goto(`${origin.url}/static-app/`)
    await draw(page, '#pad', sevenStroke)
    expect(await readDigit('browser')).toEqual([
      '7',
      expect.stringMatching(/^in this browser on wasm, digits/),
    ])
    expect(proxy.requestsFor(/^\/-\/browser\//)).toHaveLength(before)
    expect(origin.paths).toContain('/functions/index.json')
  })

  it('says what is wrong where nothing answers', async () => {
    await proxy.leave()
    await choose('server')
    await page.click('#read')
    await page.waitForFunction(() => document.querySelector('#failure')?.textContent !== '')
    expect(await textOf('failure')).toMatch(/no connection/)
    await proxy.return()
  })

  it('says nothing in the console', () => {
    // What the browser itself says of the server that was away.
    expect(complaints.filter((line) => !line.includes('ERR_CONNECTION_REFUSED'))).toEqual([])
  })
})
