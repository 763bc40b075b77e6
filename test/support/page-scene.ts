import type { Browser, BrowserContext, JSHandle, Page } from 'playwright-core'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import type { Answer, ConnectOptions, Harness, Question } from './page-harness.ts'
import { type PageServer, startPageServer } from './page-server.ts'
import {
  makeExampleProject,
  makeProject,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from './server.ts'

/** What a scene is made of. */
export interface PageSceneOptions {
  /** Files of the project; `examples` has the functions of this repository. */
  readonly files: Readonly<Record<string, string | Uint8Array>> | 'examples'
  readonly settings?: Readonly<Record<string, unknown>>
  /** Which command serves it; `built` has it built before. @default 'dev' */
  readonly mode?: 'dev' | 'serve' | 'built'
}

/** A server of the real command, a way to it on which replies can be harmed, and pages of other origins. */
export interface PageScene extends AsyncDisposable {
  readonly project: TestProject
  readonly server: TestServer
  readonly proxy: FaultProxy
  /** Begins a call that asks for a URL on its way, does something once it has asked, and lets it go on. */
  hold(held: HeldCall): Promise<Answer>
  /** Opens a page with a client that reaches the server through the proxy. */
  open(browser: Browser | BrowserContext, options?: OpenOptions): Promise<TestPage>
}

/** What can be done about a call that is held. */
export interface HeldCall {
  /** Begins the call; it is to ask for the URL, which is not answered yet. */
  readonly call: (hold: string) => Promise<Answer>
  /** Done while the call waits. */
  readonly meanwhile: () => Promise<unknown>
}

/** How a page is opened. */
export interface OpenOptions extends Partial<ConnectOptions> {
  /** @default 'known' */
  readonly origin?: PageOrigin
}

/**
 * Whose page it is: of an origin that the server takes, of others such whose pages are cross-origin isolated, or may
 * do no more than they must, or of one that it does not take.
 */
export type PageOrigin = 'known' | 'isolated' | 'strict' | 'foreign'

/** A page with a client in it. */
export interface TestPage {
  readonly page: Page
  /** Warnings and errors of the console, and errors that nobody caught. */
  readonly complaints: readonly string[]
  /** Asks a function for what it makes of an input. */
  ask(name: string, input: unknown, options?: Omit<Question, 'name' | 'input'>): Promise<Answer>
  /** Asks what can be asked of any function. */
  put(question: Question): Promise<Answer>
  /** Whether the page was told of bytes of a model that have come. */
  hasBytes(): Promise<boolean>
  /** Loads the page anew, with a client of the same options, or of other ones. */
  reload(changes?: Partial<ConnectOptions>): Promise<void>
  /** Forgets all that is kept in the browser. */
  clear(): Promise<void>
  /** Ends the client's worker, at once and without a word. */
  endWorker(): Promise<void>
}

const shell =
  '<!doctype html><html lang="en"><title>A page</title><script type="module" src="harness.js"></script></html>'

/** What a page needs whose functions come from another origin. */
const strictPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval' http://127.0.0.1:*",
  'connect-src http://127.0.0.1:*',
  // The worker is of this origin, what it imports of the other.
  'worker-src blob: http://127.0.0.1:*',
].join('; ')

/** Starts the server, the proxy before it, and a static server for each origin. */
export async function startPageScene(options: PageSceneOptions): Promise<PageScene> {
  await using stack = new AsyncDisposableStack()
  const files = { '/index.html': shell, '/harness.js': await bundleHarness() }
  const origins: Readonly<Record<PageOrigin, PageServer>> = {
    known: stack.use(startPageServer({ files })),
    isolated: stack.use(startPageServer({ files, isolated: true })),
    strict: stack.use(startPageServer({ files, headers: { 'content-security-policy': strictPolicy } })),
    foreign: stack.use(startPageServer({ files })),
  }
  const settings = {
    corsOrigins: [origins.known.url, origins.isolated.url, origins.strict.url],
    ...options.settings,
  }
  const project = stack.use(
    await (options.files === 'examples'
      ? makeExampleProject(settings)
      : makeProject(options.files, settings)),
  )
  const server = stack.use(await startServerOf(project, options.mode ?? 'dev'))
  const proxy = stack.use(await startFaultProxy(server.url))
  const owned = stack.move()
  return {
    project,
    server,
    proxy,
    open: async (browser, { origin = 'known', ...connect } = {}) =>
      openPage(await browser.newPage(), origins[origin].url, { baseUrl: proxy.url, ...connect }),
    hold: (held) => holdCall(proxy, held),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startServerOf(
  project: TestProject,
  mode: NonNullable<PageSceneOptions['mode']>,
): Promise<TestServer> {
  const flags = ['--replicas', '1']
  if (mode !== 'built') return startServer(project, mode, flags)
  const { code, stderr } = await project.run('build', '--no-compress')
  if (code !== 0) throw new Error(`The project was not built:\n${stderr}`)
  return startServer(project, 'serve', [...flags, '--build', 'dist'])
}

async function holdCall(proxy: FaultProxy, { call, meanwhile }: HeldCall): Promise<Answer> {
  using stalled = proxy.harm({ path: /^\/healthz$/, harm: 'stall' })
  const answer = call(`${proxy.url}/healthz`)
  await until(() => stalled.count > 0)
  await meanwhile()
  stalled[Symbol.dispose]()
  return await answer
}

async function openPage(page: Page, url: string, connect: ConnectOptions): Promise<TestPage> {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'warning' || message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${url}/`)
  let harness = await connectIn(page, connect)
  const put = (question: Question): Promise<Answer> =>
    harness.evaluate((ready, asked) => ready.ask(asked), question)
  return {
    page,
    complaints,
    put,
    ask: (name, input, options = {}) => put({ name, input, ...options }),
    async reload(changes = {}) {
      await page.reload()
      harness = await connectIn(page, { ...connect, ...changes })
    },
    hasBytes: () => harness.evaluate((ready) => ready.progress().some(({ doneBytes }) => doneBytes > 0)),
    clear: () => harness.evaluate((ready) => ready.clear()),
    async endWorker() {
      const [worker] = page.workers()
      if (!worker) throw new Error('The page has no worker.')
      const ended = worker.waitForEvent('close')
      await Promise.all([ended, worker.evaluate(() => self.close())])
    },
  }
}

async function connectIn(page: Page, connect: ConnectOptions): Promise<JSHandle<Harness>> {
  const harness = await page.waitForFunction(() => Reflect.get(globalThis, 'harness') as Harness)
  await harness.evaluate((ready, options) => ready.connect(options), connect)
  return harness
}

async function bundleHarness(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [new URL('./page-harness.ts', import.meta.url).pathname],
    target: 'browser',
    // The client's sources: what is published of it is for others to test.
    conditions: ['bun'],
  })
  return (await outputs[0]?.text()) ?? ''
}
