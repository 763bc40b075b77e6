import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { PageModel } from '../../runtime/page/model.ts'
import { launchChromium } from '../support/chromium.ts'
import { until } from '../support/server.ts'
import { type ArtifactSite, startArtifactSite } from './artifact-site.ts'
import { type ArtifactTab, buildArtifactWorker, openArtifactTab } from './artifact-tab.ts'
import type { ObtainedArtifact } from './artifact-worker.ts'

/** A site, and a tab with a store of artifacts in a browser of its own; each test has another. */
export interface ArtifactScene {
  readonly site: ArtifactSite
  readonly context: BrowserContext
  readonly tab: ArtifactTab
  obtain(model: PageModel, from?: ArtifactTab, renewed?: PageModel): Promise<ObtainedArtifact>
  /** Obtains an artifact whose connection is cut off each time when so much of it is kept. */
  obtainCutOff(model: PageModel, keptBytes: readonly number[], renewed?: PageModel): Promise<ObtainedArtifact>
  /** Reads a file of an artifact that was obtained, and gives its SHA-256. */
  read(model: PageModel, name?: string, from?: ArtifactTab): Promise<string>
}

export const megabyte = 1_048_576

/** Makes a scene for each test of a file, in one browser. */
export function useArtifactScene(): ArtifactScene {
  let script = ''
  let browser: Browser | undefined
  const parts: { site?: ArtifactSite; context?: BrowserContext; tab?: ArtifactTab } = {}
  beforeAll(async () => {
    script = await buildArtifactWorker()
    browser = await launchChromium({ flags: ['--js-flags=--expose-gc'] })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    parts.site = await startArtifactSite(script)
    parts.context = await there(browser).newContext()
    parts.tab = await openArtifactTab(parts.context, parts.site.url)
    await parts.tab.call('open', {})
  })
  afterEach(async () => {
    await parts.context?.close()
    await parts.site?.[Symbol.asyncDispose]()
  })
  const scene: ArtifactScene = {
    get site() {
      return there(parts.site)
    },
    get context() {
      return there(parts.context)
    },
    get tab() {
      return there(parts.tab)
    },
    obtain: (model, from = scene.tab, renewed) =>
      from.call('obtain', { model, baseUrl: scene.site.url, ...(renewed && { renewed }) }),
    async obtainCutOff(model, thresholds, renewed) {
      const obtaining = scene.obtain(model, scene.tab, renewed)
      obtaining.catch(() => undefined)
      for (const [index, threshold] of thresholds.entries()) {
        await until(() => scene.site.requests.length > index)
        await keptBytes(scene.tab, model, (kept) => kept >= threshold)
        scene.site.cutOff()
      }
      return obtaining
    },
    read: ({ digest }, name = 'model.onnx', from = scene.tab) => from.call('read', { digest, name }),
  }
  return scene
}

function there<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('There is no scene outside of a test.')
  return part
}

/** Bytes that no other seed has, and that are no archive. */
export function artifactBytes(seed: number, length = 3 * megabyte): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + seed * 7 + (index >> 8)) & 0xff
  bytes[0] = 0x08
  return bytes
}

/** The SHA-256 of bytes or a text. */
export function sha256(content: Uint8Array | string): string {
  return new Bun.CryptoHasher('sha256').update(content).digest('hex')
}

/** Waits until so much of an artifact is kept. */
export async function keptBytes(
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
export async function keptDigests({ page }: ArtifactTab): Promise<readonly string[]> {
  const names = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const folder = await root.getDirectoryHandle('isoplex-artifacts', { create: true })
    return Array.fromAsync(folder.keys())
  })
  return names.toSorted()
}

/** Writes another byte in the middle of what is kept. */
export async function overwrite({ page }: ArtifactTab, digest: string, at: number): Promise<void> {
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
export async function heldLocks({ page }: ArtifactTab): Promise<number> {
  return page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query()
    return held.filter(({ name }) => name?.startsWith('isoplex artifact used')).length
  })
}

/** Holds the file of an artifact open, so that nobody else can write it, as long as the page lives. */
export async function holdFile({ page }: ArtifactTab, digest: string): Promise<void> {
  await page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory()
    const folder = await root.getDirectoryHandle('isoplex-artifacts', { create: true })
    Reflect.set(
      globalThis,
      'held',
      await (await folder.getFileHandle(name, { create: true })).createWritable(),
    )
  }, digest)
}

/** Keeps the beginning of an artifact, as a download leaves it that was cut off. */
export async function keepBeginning({ page }: ArtifactTab, digest: string, bytes: Uint8Array): Promise<void> {
  await page.evaluate(
    async ({ name, content }) => {
      const root = await navigator.storage.getDirectory()
      const folder = await root.getDirectoryHandle('isoplex-artifacts', { create: true })
      const writable = await (await folder.getFileHandle(name, { create: true })).createWritable()
      await writable.write(Uint8Array.from(content))
      await writable.close()
    },
    { name: digest, content: [...bytes] },
  )
}
