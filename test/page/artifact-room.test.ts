import { describe, expect, it } from 'vitest'
import type { PageModel } from '../../runtime/page/model.ts'
import { hasChromium } from '../support/chromium.ts'
import { until } from '../support/server.ts'
import {
  artifactBytes,
  heldLocks,
  keptDigests,
  megabyte,
  sha256,
  useArtifactScene,
} from './artifact-scene.ts'
import { openArtifactTab } from './artifact-tab.ts'

describe.runIf(hasChromium)('artifacts for which there is little room', { timeout: 60_000 }, () => {
  const scene = useArtifactScene()

  it('are in memory where the browser has no room for them, and that is said', async () => {
    const session = await scene.context.newCDPSession(scene.tab.page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: scene.site.url, quotaSize: 2 * megabyte })
    const bytes = artifactBytes(16, 9 * megabyte)
    const model = scene.site.offer(bytes)
    const { digest } = model
    expect(await scene.obtain(model)).toMatchObject({
      unkept: [{ digest, bytes: bytes.length, reason: 'room' }],
    })
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(await scene.obtain(model)).toMatchObject({ progress: [] })
    expect(scene.site.requests).toHaveLength(1)
    expect(await keptDigests(scene.tab)).toEqual([])
    await scene.tab.restart()
    await scene.tab.call('open', {})
    await scene.obtain(model)
    expect(scene.site.requests).toHaveLength(2)
  })

  it('push out others where the browser has no room for them all', async () => {
    const session = await scene.context.newCDPSession(scene.tab.page)
    const models = [17, 18].map((seed) => scene.site.offer(artifactBytes(seed, 4 * megabyte)))
    const [old, young] = models as [PageModel, PageModel]
    await scene.obtain(old)
    await scene.tab.restart()
    await scene.tab.call('open', {})
    await session.send('Storage.overrideQuotaForOrigin', { origin: scene.site.url, quotaSize: 6 * megabyte })
    expect(await scene.obtain(young)).toMatchObject({ unkept: [] })
    expect(await keptDigests(scene.tab)).toEqual([young.digest])
  })

  it('go in the order of their last use where they are over the limit, and never while they are used', async () => {
    const models = [19, 20, 21, 22].map((seed) => scene.site.offer(artifactBytes(seed, megabyte)))
    const [first, second, third, fourth] = models as [PageModel, PageModel, PageModel, PageModel]
    await using other = await openArtifactTab(scene.context, scene.site.url)
    await scene.tab.call('open', { maxKeptBytes: 2 * megabyte })
    await other.call('open', { maxKeptBytes: 2 * megabyte })
    await scene.obtain(first)
    await scene.obtain(second)
    await scene.obtain(first)
    await scene.tab.call('forget', first.digest)
    await scene.tab.call('forget', second.digest)
    await until(async () => (await heldLocks(scene.tab)) === 0)
    await scene.obtain(third, other)
    expect(await keptDigests(scene.tab)).toEqual([first.digest, third.digest].toSorted())
    await scene.obtain(first)
    expect(await scene.obtain(fourth)).toMatchObject({ unkept: [{ digest: fourth.digest, reason: 'room' }] })
    expect(await keptDigests(scene.tab)).toEqual([first.digest, third.digest].toSorted())
    expect(await scene.read(third, 'model.onnx', other)).toBe(sha256(artifactBytes(21, megabyte)))
  })

  it('that are larger than all that may be kept are not kept, and nothing goes for them', async () => {
    const small = scene.site.offer(artifactBytes(23, 1_000))
    const large = scene.site.offer(artifactBytes(24, 2 * megabyte))
    await scene.obtain(small)
    await scene.tab.restart()
    await scene.tab.call('open', { maxKeptBytes: megabyte })
    expect(await scene.obtain(large)).toMatchObject({ unkept: [{ reason: 'room' }] })
    expect(await keptDigests(scene.tab)).toEqual([small.digest])
  })

  it('are forgotten in memory, too, once there is more than may be kept', async () => {
    const models = [26, 27].map((seed) => scene.site.offer(artifactBytes(seed, 2 * megabyte)))
    const [old, young] = models as [PageModel, PageModel]
    await scene.tab.call('open', { maxKeptBytes: megabyte })
    await scene.obtain(old)
    await scene.obtain(young)
    expect(await scene.obtain(young)).toMatchObject({ progress: [], unkept: [] })
    expect(await scene.obtain(old)).toMatchObject({ unkept: [{ digest: old.digest }] })
    expect(scene.site.requests).toHaveLength(3)
    expect(await scene.read(old)).toBe(sha256(artifactBytes(26, 2 * megabyte)))
  })
})
