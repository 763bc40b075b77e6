import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PageModel } from '../../runtime/page/model.ts'
import { keepBeginning } from '../page/artifact-scene.ts'
import { type ArtifactSite, startArtifactSite } from '../page/artifact-site.ts'
import { type ArtifactTab, buildArtifactWorker, openArtifactTab } from '../page/artifact-tab.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

describe.runIf(hasChromium)('a page of another origin', { timeout: 60_000 }, () => {
  let site: ArtifactSite
  let browser: Browser
  let project: TestProject
  beforeAll(async () => {
    site = await startArtifactSite(await buildArtifactWorker())
    browser = await launchChromium()
    project = await makeProject({
      'functions/add.ts': adding.replace('model: onnx', "runs: ['server', 'browser'],\n  model: onnx"),
      'functions/_models/five/model.onnx': addConstantModel(5),
      'functions/_models/five/isoplex.json': '{ "browser": true }',
    })
  })
  afterAll(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  const grantOf = async (server: TestServer): Promise<PageModel> =>
    (await server.call('/-/grants/add', { token: await server.token('five') })).json
  const open = async (): Promise<ArtifactTab> => openArtifactTab(await browser.newContext(), site.url)
  const obtain = (tab: ArtifactTab, model: PageModel, { url }: TestServer) =>
    tab.call('obtain', { model, baseUrl: url })

  it('gets an artifact by its grant, and the rest of one, where its origin is listed', async () => {
    const flags = ['--replicas', '1', '--cors-origins', site.url]
    await using server = await startServer(project, 'serve', flags)
    const model = await grantOf(server)
    const bytes = new Uint8Array(await (await fetch(new URL(model.url, server.url))).arrayBuffer())
    const whole = await obtain(await open(), model, server)
    expect(whole).toMatchObject({ names: ['model.onnx'], unkept: [] })
    expect(whole.progress.at(-1)).toBe(model.sizeBytes)
    const tab = await open()
    await keepBeginning(tab, model.digest, bytes.subarray(0, 50))
    const asked: string[] = []
    tab.page.context().on('request', (request) => void asked.push(request.headers().range ?? 'none'))
    expect(await obtain(tab, model, server)).toMatchObject({ unkept: [] })
    expect(await tab.call('read', { digest: model.digest, name: 'model.onnx' })).toMatch(/^[0-9a-f]{64}$/)
    expect(asked).toContain('bytes=50-')
    expect(asked).not.toContain('none')
  })

  it('gets nothing where it is not listed, nor for the grant of another artifact', async () => {
    await using server = await startServer(project, 'serve', ['--replicas', '1'])
    const model = await grantOf(server)
    const tab = await open()
    await expect(obtain(tab, model, server)).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'connection' },
    })
    await using listed = await startServer(project, 'serve', ['--replicas', '1', '--cors-origins', site.url])
    const digest = 'a'.repeat(64)
    const stolen = { ...model, digest, url: model.url.replace(model.digest, digest) }
    await expect(obtain(tab, stolen, listed)).rejects.toMatchObject({ code: 'GRANT_INVALID' })
  })
})
