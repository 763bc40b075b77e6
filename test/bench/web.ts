import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchChromiumIn } from '../support/chromium.ts'
import { startPageServer } from '../support/page-server.ts'
import { makeExampleProject, startServer, type TestServer } from '../support/server.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median, takeTurns } from './figure.ts'
import { openPageBundler, visit } from './web-page.ts'
import { measureSizes } from './web-sizes.ts'

/** The pages that are held against each other, each by its address. */
interface Pages {
  readonly ours: string
  readonly byHand: string
}

const peer = 'a page by hand with onnxruntime-web'

/**
 * What a page downloads before it can ask, how soon it has its first answer, and what each call costs: beside a page
 * that does the same by hand, with the same runtime from the same server.
 */
export async function* measureWeb({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using stack = new AsyncDisposableStack()
  const model = await Bun.file(new URL('../../functions/_models/digits/model.onnx', import.meta.url)).bytes()
  const bundler = stack.use(await openPageBundler())
  const files = {
    ...(await bundler.bundlePage('ours', { page: './fixtures/page/page.ts' })),
    ...(await bundler.bundlePage('by-hand', {
      page: './peers/page/page.ts',
      worker: './peers/page/worker.ts',
    })),
    '/model-a41f0c27.onnx': model,
  }
  const origin = stack.use(startPageServer({ files }))
  const project = stack.use(await makeExampleProject({ corsOrigins: [origin.url] }))
  const { code, stderr } = await project.run('build', ...(quick ? ['--no-compress'] : []))
  if (code !== 0) throw new Error(`The examples were not built: ${stderr}`)
  const server = stack.use(await startServer(project, 'serve', ['--build', 'dist', '--playground']))
  const pages = await addressesOf(origin.url, server)
  yield* measureSizes(bundler, server)
  yield await measureColdStart(pages, quick ? 1 : 7)
  yield await measureWarmStart(pages, quick ? 1 : 7)
  yield await measureCalls(pages, quick ? 20 : 300)
}

async function addressesOf(origin: string, server: TestServer): Promise<Pages> {
  const { json: manifest } = await server.call('/-/browser/index.json')
  const { module, wasm } = manifest.onnx.wasm
  const ours = new URLSearchParams({ server: server.url, token: await server.token('digits') })
  const byHand = new URLSearchParams({
    model: `${origin}/model-a41f0c27.onnx`,
    module: `${server.url}/-/browser/${module}`,
    wasm: `${server.url}/-/browser/${wasm}`,
  })
  return { ours: `${origin}/ours/?${ours}`, byHand: `${origin}/by-hand/?${byHand}` }
}

/** From the navigation to the first answer, by a browser that has never been there. */
async function measureColdStart(pages: Pages, rounds: number): Promise<Figure> {
  const visitIn = (url: string) => async (): Promise<number> => {
    await using profile = await makeProfile()
    return await visitOnce(profile.folder, url)
  }
  const sides = { ours: visitIn(pages.ours), theirs: visitIn(pages.byHand) }
  const { ours, theirs } = await takeTurns({ name: 'web-cold', rounds, sides })
  return compare({ name: 'web-cold', unit: 'ms', peer, goal: '<= 1.2', values: ours, peerValues: theirs })
}

/** The same by a browser that has been there before, and was closed since. */
async function measureWarmStart(pages: Pages, rounds: number): Promise<Figure> {
  await using ourProfile = await makeProfile()
  await using theirProfile = await makeProfile()
  const sides = {
    ours: () => visitOnce(ourProfile.folder, pages.ours),
    theirs: () => visitOnce(theirProfile.folder, pages.byHand),
  }
  const { ours, theirs } = await takeTurns({ name: 'web-warm', rounds, sides })
  return compare({ name: 'web-warm', unit: 'ms', peer, goal: '<= 1.1', values: ours, peerValues: theirs })
}

/** How much longer a call takes, from the page and back, than the run of the session alone in the other's worker. */
async function measureCalls({ ours, byHand }: Pages, count: number): Promise<Figure> {
  await using profile = await makeProfile()
  await using browser = await launchChromiumIn(profile.folder)
  const [client, bare] = [await browser.newPage(), await browser.newPage()]
  await visit(client, ours)
  await visit(bare, byHand)
  const sides = {
    calls: () => readIn<readonly number[]>(client, count),
    runs: async () => (await readIn<{ readonly runMs: readonly number[] }>(bare, count)).runMs,
  }
  const { calls, runs } = await takeTurns({ name: 'web-call', rounds: 5, sides })
  const [callMs, runMs] = [median(calls.map(median)), median(runs.map(median))]
  return compare({
    name: 'web-call',
    unit: 'ms',
    peer: 'one millisecond over a bare session.run',
    goal: '<= 1',
    values: [callMs - runMs],
    peerValues: [1],
    notes: { callMs, runMs },
  })
}

/** Visits a page with a browser that was not running before, and closes it. */
async function visitOnce(folder: string, url: string): Promise<number> {
  await using browser = await launchChromiumIn(folder)
  const { elapsedMs } = await visit(await browser.newPage(), url)
  return elapsedMs
}

/** Has a page read so many digits. */
function readIn<Reading>(page: Page, count: number): Promise<Reading> {
  return page.evaluate((turns) => {
    const { read } = globalThis as unknown as { read(count: number): Promise<Reading> }
    return read(turns)
  }, count)
}

/** What a browser keeps, from nothing on. */
async function makeProfile(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'isoplex-profile-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
