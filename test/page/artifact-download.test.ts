import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { until } from '../support/server.ts'
import { artifactBytes, megabyte, sha256, useArtifactScene } from './artifact-scene.ts'

describe.runIf(hasChromium)('the download of an artifact', { timeout: 60_000 }, () => {
  const scene = useArtifactScene()

  it('goes on where the connection was cut off', async () => {
    const bytes = artifactBytes(2)
    const model = scene.site.offer(
      bytes,
      { kind: 'stall', afterBytes: megabyte },
      { kind: 'stall', afterBytes: megabyte },
    )
    await scene.obtainCutOff(model, [megabyte / 2, 1.25 * megabyte])
    expect(await scene.read(model)).toBe(sha256(bytes))
    const [first, ...others] = scene.site.requests
    expect(first).toMatchObject({ range: null, condition: null })
    expect(others).toHaveLength(2)
    for (const { range, condition } of others) {
      expect({ range, condition }).toEqual({
        range: expect.stringMatching(/^bytes=[1-9]\d*-$/),
        condition: `"${model.digest}"`,
      })
    }
  })

  it('goes on after nothing came for too long, and after it was called off', async () => {
    const bytes = artifactBytes(4)
    const model = scene.site.offer(
      bytes,
      { kind: 'stall', afterBytes: megabyte },
      { kind: 'stall', afterBytes: megabyte },
    )
    await scene.tab.call('open', { idleTimeoutMs: 1_500 })
    const obtaining = scene.obtain(model)
    await until(() => scene.site.requests.length === 2)
    await scene.tab.call('abort', model.digest)
    await expect(obtaining).rejects.toMatchObject({ name: 'AbortError' })
    await scene.obtain(model)
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests.slice(1).map(({ range }) => range)).toEqual([
      expect.stringMatching(/^bytes=[1-9]/),
      expect.stringMatching(/^bytes=[1-9]/),
    ])
  })

  it('begins anew where the server sends the whole in place of the rest', async () => {
    const bytes = artifactBytes(5)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: megabyte }, { kind: 'whole' })
    await scene.obtainCutOff(model, [megabyte / 2])
    expect(await scene.read(model)).toBe(sha256(bytes))
  })

  it.each([
    ['altered', (bytes: Uint8Array) => bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte))],
    ['too short', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['too long', (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
    ['empty', () => new Uint8Array()],
  ])('is tried once more where the artifact comes %s, and then given up', async (_, spoil) => {
    const bytes = artifactBytes(6, 100_000)
    const bad = { kind: 'other', bytes: spoil(bytes) } as const
    const once = scene.site.offer(bytes, bad)
    await scene.obtain(once)
    expect(await scene.read(once)).toBe(sha256(bytes))
    await scene.tab.call('forget', once.digest)
    await scene.tab.call('clear')
    const twice = scene.site.offer(bytes, bad, bad)
    await expect(scene.obtain(twice)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
    expect(scene.site.requests).toHaveLength(4)
    await scene.obtain(twice)
    expect(scene.site.requests[4]?.range).toBeNull()
    expect(await scene.read(twice)).toBe(sha256(bytes))
  })

  it('begins anew where a part comes from elsewhere than where the first one ended', async () => {
    const bytes = artifactBytes(7)
    const model = scene.site.offer(bytes, { kind: 'stall', afterBytes: megabyte }, { kind: 'shifted' })
    await scene.obtainCutOff(model, [megabyte / 2])
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests.map(({ range }) => range === null)).toEqual([true, false, true])
  })

  it('goes on by a new link where the grant is refused in the middle', async () => {
    const bytes = artifactBytes(8)
    const model = scene.site.offer(
      bytes,
      { kind: 'stall', afterBytes: megabyte },
      { kind: 'problem', status: 403, code: 'GRANT_INVALID' },
      { kind: 'problem', status: 404, code: 'ENTRY_NOT_FOUND' },
    )
    expect(await scene.obtainCutOff(model, [megabyte / 2], model)).toMatchObject({ renewals: 2 })
    expect(await scene.read(model)).toBe(sha256(bytes))
    expect(scene.site.requests.at(-1)?.range).toMatch(/^bytes=[1-9]/)
  })

  it('is given up where no new link is to be had, or it is one of another version', async () => {
    const model = scene.site.link(scene.site.offer(artifactBytes(9)), 'old')
    const refused = { code: 'GRANT_INVALID', message: expect.not.stringContaining('old') }
    await expect(scene.obtain(model)).rejects.toMatchObject(refused)
    await expect(scene.obtain(model, scene.tab, model)).rejects.toMatchObject(refused)
    const other = scene.site.offer(artifactBytes(10))
    await expect(scene.obtain(model, scene.tab, other)).rejects.toMatchObject(refused)
    const good = scene.site.offer(artifactBytes(9))
    const shorter = { ...good, sizeBytes: good.sizeBytes - 1 }
    await expect(scene.obtain(model, scene.tab, shorter)).rejects.toMatchObject(refused)
  })

  it('fails where the server is gone or has nothing to give, and says so', async () => {
    const model = scene.site.offer(artifactBytes(11), { kind: 'problem', status: 503, code: 'DRAINING' })
    await expect(scene.obtain(model)).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'status' },
    })
    scene.site.goDown()
    await expect(scene.obtain(model)).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'connection' },
      message: expect.not.stringContaining('good'),
    })
    scene.site.comeBack()
    await scene.obtain(model)
  })
})
