import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeptFacts } from '../../runtime/page/kept-facts.ts'
import { hasChromium, launchChromiumIn } from '../support/chromium.ts'
import { type ArtifactSite, startArtifactSite } from './artifact-site.ts'
import { type ArtifactTab, buildArtifactWorker, openArtifactTab } from './artifact-tab.ts'

describe.runIf(hasChromium)('the facts of a page', { timeout: 60_000 }, () => {
  let folder: string
  let site: ArtifactSite
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isoplex-facts-'))
    site = await startArtifactSite(await buildArtifactWorker())
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('are there after the browser was closed, in every tab, until they are cleared', async () => {
    const value = { verdict: 'wasm', reason: 'é "quoted"', at: [1, null] }
    const keys = ['a', 'a/b?c#d', 'https://elsewhere.example/', 'é ', '%2F']
    await using first = await launchChromiumIn(folder)
    const writer = await openArtifactTab(first, site.url)
    for (const [index, key] of keys.entries())
      await writer.call('setFact', { key, value: { ...value, index } })
    await writer.call('setFact', { key: 'a', value: 'again' })
    await first.close()
    await using second = await launchChromiumIn(folder)
    const reader = await openArtifactTab(second, site.url)
    expect(await reader.call('getFact', 'a')).toBe('again')
    for (const [index, key] of keys.entries()) {
      if (index > 0) expect(await reader.call('getFact', key)).toEqual({ ...value, index })
    }
    expect(await reader.call('getFact', 'nowhere')).toBeUndefined()
    const other = await openArtifactTab(second, site.url)
    await other.call('clearFacts')
    expect(await reader.call('getFact', 'a')).toBeUndefined()
  })

  it('that were cut off are none', async () => {
    await using context = await launchChromiumIn(folder)
    const tab = await openArtifactTab(context, site.url)
    await tab.call('setFact', { key: 'torn', value: { a: 1 } })
    await tear(tab)
    expect(await tab.call('getFact', 'torn')).toBeUndefined()
  })

  it('are remembered where the browser has no room for them', async () => {
    await using context = await launchChromiumIn(folder)
    const tab = await openArtifactTab(context, site.url)
    const session = await context.newCDPSession(tab.page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 1 })
    const value = 'x'.repeat(100_000)
    await tab.call('setFact', { key: 'large', value })
    expect(await tab.call('getFact', 'large')).toBe(value)
  })
})

describe('facts without a browser', () => {
  it('are remembered as long as the realm lives', async () => {
    const facts = createKeptFacts('here')
    await facts.set('a', { b: 1 })
    expect(await facts.get('a')).toEqual({ b: 1 })
    await facts.clear()
    expect(await facts.get('a')).toBeUndefined()
  })
})

/** Cuts a fact off where it is kept. */
async function tear({ page }: ArtifactTab): Promise<void> {
  await page.evaluate(async () => {
    const cache = await caches.open('isoplex-facts-test')
    const [key] = (await cache.keys()).filter(({ url }) => url.endsWith('torn'))
    if (key === undefined) throw new Error('The fact is not where it is looked for.')
    await cache.put(key, new Response('{"a":'))
  })
}
