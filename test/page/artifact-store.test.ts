import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasChromium, launchChromiumIn } from '../support/chromium.ts'
import { until } from '../support/server.ts'
import {
  artifactBytes,
  heldLocks,
  holdFile,
  keptBytes,
  keptDigests,
  megabyte,
  overwrite,
  sha256,
  useArtifactScene,
} from './artifact-scene.ts'
import { openArtifactTab } from './artifact-tab.ts'

describe.runIf(hasChromium)('the artifacts of a page', { timeout: 60_000 }, () => {
  const scene = useArtifactScene()

  it('come once, with their progress, and then from what is kept, without a network', async () => {
    const bytes = artifactBytes(1)
    const model = scene.site.offer(bytes)
    const first = await scene.obtain(model)
    expect(first).toMatchObject({ names: ['model.onnx'], bytes: bytes.length, unkept: [] })
    expect(first.progress.at(-1)).toBe(bytes.length)
    expect(await scene.read(model)).toBe(sha256(bytes))
    scene.site.goDown()
    await scene.tab.restart()
    expect(await scene.obtain(model)).toMatchObject({ progress: [], unkept: [] })
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests).toHaveLength(1)
  })

  it('go on where a worker was ended, in the next one', async () => {
    const bytes = artifactBytes(3)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: 2 * megabyte })
    void scene.obtain(model).catch(() => undefined)
    await until(() => scene.site.requests.length === 1)
    await keptBytes(scene.tab, model, (kept) => kept >= megabyte)
    await scene.tab.restart()
    await scene.tab.call('open', {})
    await scene.obtain(model)
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests[1]?.range).toMatch(/^bytes=[1-9]\d{6}-$/)
  })

  it('come once for two tabs, and both see how far they have come', async () => {
    const bytes = artifactBytes(12)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: 2 * megabyte })
    await using second = await openArtifactTab(scene.context, scene.site.url)
    const downloading = scene.obtain(model)
    downloading.catch(() => undefined)
    await keptBytes(scene.tab, model, (kept) => kept >= megabyte)
    const following = scene.obtain(model, second)
    await until(async () => (await heldLocks(scene.tab)) === 2)
    scene.site.cutOff()
    const [first, waiting] = await Promise.all([downloading, following])
    expect(await scene.read(model, 'model.onnx', second)).toBe(sha256(bytes))
    expect(first.progress.length).toBeGreaterThan(0)
    expect(waiting.progress.length).toBeGreaterThan(0)
    expect(scene.site.requests.map(({ range }) => range)).toEqual([
      null,
      expect.stringMatching(/^bytes=[1-9]/),
    ])
  })

  it('go on in the tab that waits where the one that downloads is closed', async () => {
    const bytes = artifactBytes(33)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: 2 * megabyte })
    const closing = await openArtifactTab(scene.context, scene.site.url)
    scene.obtain(model, closing).catch(() => undefined)
    await keptBytes(scene.tab, model, (kept) => kept >= megabyte)
    const waiting = scene.obtain(model)
    await until(async () => (await heldLocks(scene.tab)) === 2)
    expect(scene.site.requests).toHaveLength(1)
    await closing[Symbol.asyncDispose]()
    await waiting
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests[1]?.range).toMatch(/^bytes=[1-9]\d{6}-$/)
  })

  it('come once for one worker that asks for them twice', async () => {
    const model = scene.site.offer(artifactBytes(13))
    await Promise.all([scene.obtain(model), scene.obtain(model), scene.obtain(model)])
    expect(scene.site.requests).toHaveLength(1)
  })

  it('that were altered where they are kept come anew', async () => {
    const bytes = artifactBytes(14)
    const model = scene.site.offer(bytes)
    await scene.obtain(model)
    await scene.tab.call('forget', model.digest)
    await overwrite(scene.tab, model.digest, 1_000)
    await scene.obtain(model)
    expect(scene.site.requests).toHaveLength(2)
    expect(await scene.read(model)).toBe(sha256(bytes))
  })

  it('that were altered while they had come only in part come anew', async () => {
    const bytes = artifactBytes(15)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: 2 * megabyte })
    const obtaining = scene.obtain(model)
    obtaining.catch(() => undefined)
    await keptBytes(scene.tab, model, (kept) => kept >= megabyte)
    await scene.tab.call('abort', model.digest)
    await expect(obtaining).rejects.toMatchObject({ name: 'AbortError' })
    await overwrite(scene.tab, model.digest, 1_000)
    await scene.obtain(model)
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests.map(({ range }) => range === null)).toEqual([true, false, true])
  })

  it('are gone once all is cleared, and come again', async () => {
    const bytes = artifactBytes(25)
    const model = scene.site.offer(bytes)
    await scene.obtain(model)
    await scene.tab.call('clear')
    expect(await keptDigests(scene.tab)).toEqual([])
    await expect(scene.read(model)).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason: 'gone' },
    })
    await scene.obtain(model)
    expect(scene.site.requests).toHaveLength(2)
    expect(await scene.read(model)).toBe(sha256(bytes))
  })

  it('work without any storage, hashing and locks of the browser', async () => {
    const bytes = artifactBytes(26, megabyte)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: 100_000 })
    await scene.tab.call('open', { idleTimeoutMs: 1_500 })
    await scene.tab.call('becomeInsecure')
    expect(await scene.obtain(model)).toMatchObject({ unkept: [{ reason: 'refused' }] })
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(await scene.obtain(model)).toMatchObject({ progress: [] })
  })

  it.each([{ digest: '../a' }, { digest: 'A'.repeat(64) }, { sizeBytes: 0 }, { sizeBytes: 0.5 }])(
    'are not asked for by what is no name of one: %j',
    async (facts) => {
      const model = { ...scene.site.offer(artifactBytes(28, 10)), ...facts }
      await expect(scene.obtain(model)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
      expect(scene.site.requests).toEqual([])
    },
  )

  it('are there after the browser was closed, also those that had come in part', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isoplex-profile-'))
    try {
      const whole = scene.site.offer(artifactBytes(29))
      const part = scene.site.offer(artifactBytes(30), { kind: 'stall', afterBytes: 2 * megabyte })
      const first = await launchChromiumIn(folder)
      const before = await openArtifactTab(first, scene.site.url)
      await scene.obtain(whole, before)
      void scene.obtain(part, before).catch(() => undefined)
      await keptBytes(before, part, (kept) => kept >= megabyte)
      await first.close()
      const second = await launchChromiumIn(folder)
      const after = await openArtifactTab(second, scene.site.url)
      expect(await scene.obtain(whole, after)).toMatchObject({ progress: [] })
      await scene.obtain(part, after)
      expect(await scene.read(part, 'model.onnx', after)).toBe(sha256(artifactBytes(30)))
      expect(scene.site.requests.map(({ range }) => range)).toEqual([
        null,
        null,
        expect.stringMatching(/^bytes=[1-9]/),
      ])
      await second.close()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('come by the path of a server that is below another one', async () => {
    const model = scene.site.offer(artifactBytes(31, 1_000))
    await scene.tab.call('obtain', { model, baseUrl: `${scene.site.url}/below/` })
    expect(scene.site.requests).toMatchObject([{ path: expect.stringMatching(/^\/below\/-\/registry\//) }])
  })

  it('are in memory where somebody else holds their file', async () => {
    const bytes = artifactBytes(32, 200_000)
    const model = scene.site.offer(bytes)
    await holdFile(scene.tab, model.digest)
    expect(await scene.obtain(model)).toMatchObject({ unkept: [{ digest: model.digest }] })
    expect(await scene.read(model)).toBe(sha256(bytes))
  })
})
