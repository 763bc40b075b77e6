import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PageModel } from '../../runtime/page/model.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { hasChromium, launchChromium, launchChromiumIn } from '../support/chromium.ts'
import { until } from '../support/server.ts'
import { type ArtifactSite, startArtifactSite } from './artifact-site.ts'
import { type ArtifactTab, buildArtifactWorker, openArtifactTab } from './artifact-tab.ts'
import type { ObtainedArtifact } from './artifact-worker.ts'

const megabyte = 1_048_576

/** Bytes that no other seed has, and that are no archive. */
function bytesOf(seed: number, length = 3 * megabyte): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + seed * 7 + (index >> 8)) & 0xff
  bytes[0] = 0x08
  return bytes
}

function sha256(content: Uint8Array | string): string {
  return new Bun.CryptoHasher('sha256').update(content).digest('hex')
}

describe.runIf(hasChromium)('the artifacts of a page', { timeout: 60_000 }, () => {
  let script: string
  let browser: Browser
  let site: ArtifactSite
  let context: BrowserContext
  let tab: ArtifactTab
  beforeAll(async () => {
    script = await buildArtifactWorker()
    browser = await launchChromium({ flags: ['--js-flags=--expose-gc'] })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    site = await startArtifactSite(script)
    context = await browser.newContext()
    tab = await openArtifactTab(context, site.url)
    await tab.call('open', {})
  })
  afterEach(async () => {
    await context?.close()
    await site?.[Symbol.asyncDispose]()
  })

  const obtain = (
    model: PageModel,
    from: ArtifactTab = tab,
    renewed?: PageModel,
  ): Promise<ObtainedArtifact> =>
    from.call('obtain', { model, baseUrl: site.url, ...(renewed && { renewed }) })
  const read = ({ digest }: PageModel, name = 'model.onnx', from = tab): Promise<string> =>
    from.call('read', { digest, name })

  it('come once, with their progress, and then from what is kept, without a network', async () => {
    const bytes = bytesOf(1)
    const model = site.offer(bytes)
    const first = await obtain(model)
    expect(first).toMatchObject({ names: ['model.onnx'], bytes: bytes.length, unkept: [] })
    expect(first.progress.at(-1)).toBe(bytes.length)
    expect(await read(model)).toBe(sha256(bytes))
    site.goDown()
    await tab.restart()
    expect(await obtain(model)).toMatchObject({ progress: [], unkept: [] })
    expect(await read(model)).toBe(sha256(bytes))
    expect(site.requests).toHaveLength(1)
  })

  it('go on where the connection was cut off', async () => {
    const bytes = bytesOf(2)
    const model = site.offer(
      bytes,
      { kind: 'cut', afterBytes: megabyte },
      { kind: 'cut', afterBytes: megabyte },
    )
    await obtain(model)
    expect(await read(model)).toBe(sha256(bytes))
    const [first, ...others] = site.requests
    expect(first).toMatchObject({ range: null, condition: null })
    expect(others).toHaveLength(2)
    for (const { range, condition } of others) {
      expect({ range, condition }).toEqual({
        range: expect.stringMatching(/^bytes=[1-9]\d*-$/),
        condition: `"${model.digest}"`,
      })
    }
  })

  it('go on where a worker was ended, in the next one', async () => {
    const bytes = bytesOf(3)
    const model = site.offer(bytes, { kind: 'stall', afterBytes: 2 * megabyte })
    void obtain(model).catch(() => undefined)
    await until(() => site.requests.length === 1)
    await keptBytes(tab, model, (kept) => kept >= megabyte)
    await tab.restart()
    await tab.call('open', {})
    await obtain(model)
    expect(await read(model)).toBe(sha256(bytes))
    expect(site.requests[1]?.range).toMatch(/^bytes=[1-9]\d{6}-$/)
  })

  it('go on after nothing came for too long, and after they were called off', async () => {
    const bytes = bytesOf(4)
    const model = site.offer(
      bytes,
      { kind: 'stall', afterBytes: megabyte },
      { kind: 'stall', afterBytes: megabyte },
    )
    await tab.call('open', { idleTimeoutMs: 300 })
    const obtaining = obtain(model)
    await until(() => site.requests.length === 2)
    await tab.call('abort', model.digest)
    await expect(obtaining).rejects.toMatchObject({ name: 'AbortError' })
    await obtain(model)
    expect(await read(model)).toBe(sha256(bytes))
    expect(site.requests.slice(1).map(({ range }) => range)).toEqual([
      expect.stringMatching(/^bytes=[1-9]/),
      expect.stringMatching(/^bytes=[1-9]/),
    ])
  })

  it('come anew where the server sends the whole in place of the rest', async () => {
    const bytes = bytesOf(5)
    const model = site.offer(bytes, { kind: 'cut', afterBytes: megabyte }, { kind: 'whole' })
    await obtain(model)
    expect(await read(model)).toBe(sha256(bytes))
  })

  it.each([
    ['altered', (bytes: Uint8Array) => bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte))],
    ['too short', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['too long', (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
    ['empty', () => new Uint8Array()],
  ])('are tried once more where they come %s, and then refused', async (_, spoil) => {
    const bytes = bytesOf(6, 100_000)
    const bad = { kind: 'other', bytes: spoil(bytes) } as const
    const once = site.offer(bytes, bad)
    await obtain(once)
    expect(await read(once)).toBe(sha256(bytes))
    await tab.call('forget', once.digest)
    await tab.call('clear')
    const twice = site.offer(bytes, bad, bad)
    await expect(obtain(twice)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
    expect(site.requests).toHaveLength(4)
    await obtain(twice)
    expect(site.requests[4]?.range).toBeNull()
    expect(await read(twice)).toBe(sha256(bytes))
  })

  it('come anew where a part comes from elsewhere than where the first one ended', async () => {
    const bytes = bytesOf(7)
    const model = site.offer(bytes, { kind: 'cut', afterBytes: megabyte }, { kind: 'shifted' })
    await obtain(model)
    expect(await read(model)).toBe(sha256(bytes))
    expect(site.requests.map(({ range }) => range === null)).toEqual([true, false, true])
  })

  it('go on by a new link where the grant is refused in the middle', async () => {
    const bytes = bytesOf(8)
    const model = site.offer(
      bytes,
      { kind: 'cut', afterBytes: megabyte },
      { kind: 'problem', status: 403, code: 'GRANT_INVALID' },
      { kind: 'problem', status: 404, code: 'ENTRY_NOT_FOUND' },
    )
    expect(await obtain(model, tab, model)).toMatchObject({ renewals: 2 })
    expect(await read(model)).toBe(sha256(bytes))
    expect(site.requests.at(-1)?.range).toMatch(/^bytes=[1-9]/)
  })

  it('are refused where no new link is to be had, or it is one of another version', async () => {
    const model = site.link(site.offer(bytesOf(9)), 'old')
    const refused = { code: 'GRANT_INVALID', message: expect.not.stringContaining('old') }
    await expect(obtain(model)).rejects.toMatchObject(refused)
    await expect(obtain(model, tab, model)).rejects.toMatchObject(refused)
    const other = site.offer(bytesOf(10))
    await expect(obtain(model, tab, other)).rejects.toMatchObject(refused)
  })

  it('fail where the server is gone or has nothing for them, and say so', async () => {
    const model = site.offer(bytesOf(11), { kind: 'problem', status: 503, code: 'DRAINING' })
    await expect(obtain(model)).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'status' } })
    site.goDown()
    await expect(obtain(model)).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'connection' },
      message: expect.not.stringContaining('good'),
    })
    site.comeBack()
    await obtain(model)
  })

  it('come once for two tabs, and both see how far they have come', async () => {
    const bytes = bytesOf(12)
    const model = site.offer(bytes, { kind: 'stall', afterBytes: 2 * megabyte })
    await using second = await openArtifactTab(context, site.url)
    await tab.call('open', { idleTimeoutMs: 2_000 })
    const both = Promise.all([obtain(model), obtain(model, second)])
    const [first, waiting] = await both
    expect(await read(model, 'model.onnx', second)).toBe(sha256(bytes))
    expect(first.progress.length).toBeGreaterThan(0)
    expect(waiting.progress.length).toBeGreaterThan(0)
    expect(site.requests.map(({ range }) => range)).toEqual([null, expect.stringMatching(/^bytes=[1-9]/)])
  })

  it('come once for one worker that asks for them twice', async () => {
    const model = site.offer(bytesOf(13))
    await Promise.all([obtain(model), obtain(model), obtain(model)])
    expect(site.requests).toHaveLength(1)
  })

  it('that were altered where they are kept come anew', async () => {
    const bytes = bytesOf(14)
    const model = site.offer(bytes)
    await obtain(model)
    await tab.call('forget', model.digest)
    await overwrite(tab, model.digest, 1_000)
    await obtain(model)
    expect(site.requests).toHaveLength(2)
    expect(await read(model)).toBe(sha256(bytes))
  })

  it('that were altered while they came only in part come anew', async () => {
    const bytes = bytesOf(15)
    const model = site.offer(
      bytes,
      { kind: 'cut', afterBytes: megabyte },
      { kind: 'problem', status: 500, code: 'X' },
    )
    await expect(obtain(model)).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    await overwrite(tab, model.digest, 1_000)
    await obtain(model)
    expect(await read(model)).toBe(sha256(bytes))
    expect(site.requests.map(({ range }) => range === null)).toEqual([true, false, false, true])
  })

  it('are in memory where the browser has no room for them, and that is said', async () => {
    const session = await context.newCDPSession(tab.page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 2 * megabyte })
    const bytes = bytesOf(16, 9 * megabyte)
    const model = site.offer(bytes)
    const { digest } = model
    expect(await obtain(model)).toMatchObject({ unkept: [{ digest, bytes: bytes.length, reason: 'room' }] })
    expect(await read(model)).toBe(sha256(bytes))
    expect(await obtain(model)).toMatchObject({ progress: [] })
    expect(site.requests).toHaveLength(1)
    expect(await keptDigests(tab)).toEqual([])
    await tab.restart()
    await tab.call('open', {})
    await obtain(model)
    expect(site.requests).toHaveLength(2)
  })

  it('push out others where the browser has no room for them all', async () => {
    const session = await context.newCDPSession(tab.page)
    const models = [17, 18].map((seed) => site.offer(bytesOf(seed, 4 * megabyte)))
    const [old, young] = models as [PageModel, PageModel]
    await obtain(old)
    await tab.restart()
    await tab.call('open', {})
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 6 * megabyte })
    expect(await obtain(young)).toMatchObject({ unkept: [] })
    expect(await keptDigests(tab)).toEqual([young.digest])
  })

  it('go in the order of their last use where they are over the limit, and never while they are used', async () => {
    const models = [19, 20, 21, 22].map((seed) => site.offer(bytesOf(seed, megabyte)))
    const [first, second, third, fourth] = models as [PageModel, PageModel, PageModel, PageModel]
    await using other = await openArtifactTab(context, site.url)
    await tab.call('open', { maxKeptBytes: 2 * megabyte })
    await other.call('open', { maxKeptBytes: 2 * megabyte })
    await obtain(first)
    await obtain(second)
    await obtain(first)
    await tab.call('forget', first.digest)
    await tab.call('forget', second.digest)
    await until(async () => (await heldLocks(tab)) === 0)
    await obtain(third, other)
    expect(await keptDigests(tab)).toEqual([first.digest, third.digest].toSorted())
    await obtain(first)
    expect(await obtain(fourth)).toMatchObject({ unkept: [{ digest: fourth.digest, reason: 'room' }] })
    expect(await keptDigests(tab)).toEqual([first.digest, third.digest].toSorted())
    expect(await read(third, 'model.onnx', other)).toBe(sha256(bytesOf(21, megabyte)))
  })

  it('that are larger than all that may be kept are not kept, and nothing goes for them', async () => {
    const small = site.offer(bytesOf(23, 1_000))
    const large = site.offer(bytesOf(24, 2 * megabyte))
    await obtain(small)
    await tab.restart()
    await tab.call('open', { maxKeptBytes: megabyte })
    expect(await obtain(large)).toMatchObject({ unkept: [{ reason: 'room' }] })
    expect(await keptDigests(tab)).toEqual([small.digest])
  })

  it('are gone once all is cleared, and come again', async () => {
    const bytes = bytesOf(25)
    const model = site.offer(bytes)
    await obtain(model)
    await tab.call('clear')
    expect(await keptDigests(tab)).toEqual([])
    await expect(read(model)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason: 'gone' } })
    await obtain(model)
    expect(site.requests).toHaveLength(2)
    expect(await read(model)).toBe(sha256(bytes))
  })

  it('work without any storage, hashing and locks of the browser', async () => {
    const bytes = bytesOf(26, megabyte)
    const model = site.offer(bytes, { kind: 'cut', afterBytes: 100_000 })
    await tab.call('becomeInsecure')
    expect(await obtain(model)).toMatchObject({ unkept: [{ reason: 'refused' }] })
    expect(await read(model)).toBe(sha256(bytes))
    expect(await obtain(model)).toMatchObject({ progress: [] })
  })

  it.each([
    ['stored', 0],
    ['deflated', 8],
  ])('are unpacked where they are %s archives', async (_, method) => {
    const content = bytesOf(27, megabyte)
    const archive = buildArchive([
      { name: 'model.onnx', content, method },
      { name: 'parts/labels.json', content: '["a"]', method },
    ])
    const model = site.offer(archive)
    expect(await obtain(model)).toMatchObject({
      names: ['model.onnx', 'parts/labels.json'],
      bytes: content.length + 5,
    })
    expect(await read(model)).toBe(sha256(content))
    expect(await read(model, 'parts/labels.json')).toBe(sha256('["a"]'))
    await expect(read(model, 'nowhere')).rejects.toMatchObject({ details: { reason: 'missing-file' } })
  })

  it.each([
    ['climbs', buildArchive([{ name: '../a', content: 'a' }]), 'name-climbs'],
    ['is cut short', buildArchive([{ name: 'a', content: 'a' }]).subarray(0, 40), 'not-an-archive'],
    ['holds a link', buildArchive([{ name: 'a', content: 'b', externalAttributes: 0xa1ff0000 }]), 'link'],
    [
      'grows too much',
      buildArchive([{ name: 'a', content: new Uint8Array(2 ** 25), method: 8 }]),
      'ratio-too-high',
    ],
  ])('are refused where the archive %s', async (_, archive, reason) => {
    const model = site.offer(archive)
    await expect(obtain(model)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason } })
    expect(site.requests).toHaveLength(1)
  })

  it('are not read where what an archive holds is not what it says', async () => {
    const model = site.offer(buildArchive([{ name: 'model.onnx', content: 'graph', crc32: 7 }]))
    await obtain(model)
    await expect(read(model)).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason: 'checksum-mismatch' },
    })
  })

  it.each([{ digest: '../a' }, { digest: 'A'.repeat(64) }, { sizeBytes: 0 }, { sizeBytes: 0.5 }])(
    'are not asked for by what is no name of one: %j',
    async (facts) => {
      const model = { ...site.offer(bytesOf(28, 10)), ...facts }
      await expect(obtain(model)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
      expect(site.requests).toEqual([])
    },
  )

  it('are there after the browser was closed, also those that had come in part', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isoplex-profile-'))
    try {
      const whole = site.offer(bytesOf(29))
      const part = site.offer(bytesOf(30), { kind: 'stall', afterBytes: 2 * megabyte })
      const first = await launchChromiumIn(folder)
      const before = await openArtifactTab(first, site.url)
      await obtain(whole, before)
      void obtain(part, before).catch(() => undefined)
      await keptBytes(before, part, (kept) => kept >= megabyte)
      await first.close()
      const second = await launchChromiumIn(folder)
      const after = await openArtifactTab(second, site.url)
      expect(await obtain(whole, after)).toMatchObject({ progress: [] })
      await obtain(part, after)
      expect(await read(part, 'model.onnx', after)).toBe(sha256(bytesOf(30)))
      expect(site.requests.map(({ range }) => range)).toEqual([
        null,
        null,
        expect.stringMatching(/^bytes=[1-9]/),
      ])
      await second.close()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

/** Waits until so much of an artifact is kept. */
async function keptBytes(
  { page }: ArtifactTab,
  { digest }: PageModel,
  fits: (bytes: number) => boolean,
): Promise<void> {
  const size = (name: string): Promise<number> =>
    page.evaluate(async (file) => {
      try {
        const root = await navigator.storage.getDirectory()
        const folder = await root.getDirectoryHandle('isoplex-artifacts')
        return (await (await folder.getFileHandle(file)).getFile()).size
      } catch {
        return 0
      }
    }, name)
  await until(async () => fits(await size(digest)))
}

/** The digests of all that is kept, in order. */
async function keptDigests({ page }: ArtifactTab): Promise<readonly string[]> {
  const names = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const folder = await root.getDirectoryHandle('isoplex-artifacts', { create: true })
    return Array.fromAsync(folder.keys())
  })
  return names.toSorted()
}

/** Writes another byte in the middle of what is kept. */
async function overwrite({ page }: ArtifactTab, digest: string, at: number): Promise<void> {
  await page.evaluate(
    async ({ name, position }) => {
      const root = await navigator.storage.getDirectory()
      const folder = await root.getDirectoryHandle('isoplex-artifacts')
      const writable = await (await folder.getFileHandle(name)).createWritable({ keepExistingData: true })
      await writable.write({ type: 'write', position, data: Uint8Array.of(0xff, 0xfe, 0xfd) })
      await writable.close()
    },
    { name: digest, position: at },
  )
}

/** How many artifacts are held for use. */
async function heldLocks({ page }: ArtifactTab): Promise<number> {
  return page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query()
    return held.filter(({ name }) => name?.startsWith('isoplex artifact used')).length
  })
}
