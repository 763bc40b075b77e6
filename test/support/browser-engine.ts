/**
 * An engine in a real browser, for tests: it computes in the worker of a page, and models are files of this machine.
 *
 * @example
 * const pages = await openEnginePages({ webgpu: true })
 * const page = await pages.open()
 * const session = await page.createEngine({ provider: 'webgpu' }).load('/tmp/x/model.onnx')
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Server, ServerWebSocket } from 'bun'
import type { Browser, Page } from 'playwright-core'
import type { OnnxWebFiles } from '../../adapters/onnx-web/runtime.ts'
import type { DeviceTensor } from '../../runtime/engine/device-tensor.ts'
import type { Answers, Engine, Feeds, Session, SessionOptions } from '../../runtime/engine/engine.ts'
import type { Tensor } from '../../runtime/engine/tensor.ts'
import { fromWire, type WireError } from '../../runtime/error/wire.ts'
import { type Bytes, decodeMessage, encodeMessage } from './browser-message.ts'
import type { EngineEvent, EngineOrder, EngineSetup } from './browser-order.ts'
import { type ChromiumOptions, launchChromium } from './chromium.ts'

const root = new URL('../..', import.meta.url).pathname
const runtimeFolder = join(root, 'node_modules/onnxruntime-web/dist')

/** A browser and a server for its pages. */
export interface EnginePages extends AsyncDisposable {
  /** Opens a page with a worker of its own. */
  open(options?: { readonly isolated?: boolean }): Promise<EnginePage>
  /** Ends the browser's GPU process: every page loses its device. */
  crashGpu(): Promise<void>
  close(): Promise<void>
}

/** A page whose worker computes for a test. */
export interface EnginePage {
  readonly page: Page
  /** Where this page has ONNX Runtime from. */
  readonly onnx: OnnxWebFiles
  /** What the engines of this page have said, in order. */
  readonly events: readonly EngineEvent[]
  createEngine(options?: Partial<EngineSetup['options']>): Engine
  /** How often the worker has copied something out of the GPU's memory. */
  countDownloads(): Promise<number>
  close(): Promise<void>
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: WireError
  readonly typeError?: string
}

interface Line {
  send(order: EngineOrder): Promise<unknown>
}

/** Starts a browser, and a server on the loopback that has the worker, ONNX Runtime and models. */
export async function openEnginePages(options: ChromiumOptions = {}): Promise<EnginePages> {
  const bundle = await bundleWorker()
  const sockets = new Map<string, (socket: ServerWebSocket<string>) => void>()
  const receivers = new Map<string, (message: Bytes) => void>()
  const server = Bun.serve<string>({
    hostname: '127.0.0.1',
    port: 0,
    maxRequestBodySize: 2 ** 30,
    fetch: (request, self) => answer(request, self, bundle),
    websocket: {
      maxPayloadLength: 2 ** 28,
      open: (socket) => sockets.get(socket.data)?.(socket),
      message: (socket, message) => receivers.get(socket.data)?.(new Uint8Array(message as Uint8Array)),
    },
  })
  const origin = `http://127.0.0.1:${server.port}`
  const browser = await launchChromium(options)
  let pages = 0
  const close = async (): Promise<void> => {
    await browser.close()
    await server.stop(true)
  }
  return {
    async open({ isolated = false } = {}) {
      const name = `${++pages}`
      const connected = new Promise<ServerWebSocket<string>>((resolve) => sockets.set(name, resolve))
      const page = await openPage(browser, `${origin}/${isolated ? 'isolated' : 'plain'}/${name}`)
      const socket = await connected
      return createPage(page, origin, socket, (receive) => receivers.set(name, receive))
    },
    async crashGpu() {
      const session = await browser.newBrowserCDPSession()
      await session.send('Browser.crashGpuProcess')
      await session.detach()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function createPage(
  page: Page,
  origin: string,
  socket: ServerWebSocket<string>,
  listen: (receive: (message: Bytes) => void) => void,
): EnginePage {
  const events: EngineEvent[] = []
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let orders = 0
  listen((message) => {
    const received = decodeMessage(message) as Answer | { readonly event: EngineEvent }
    if ('event' in received) events.push(received.event)
    else settle(waiting.get(received.id), received)
  })
  const send: Line['send'] = (order) => {
    const id = ++orders
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    socket.send(encodeMessage({ id, order }))
    return answer.promise.finally(() => waiting.delete(id))
  }
  return {
    page,
    onnx: runtimeFiles(origin),
    events,
    createEngine: (options = {}) =>
      createEngine({ send }, origin, { onnx: runtimeFiles(origin), softwareAdapters: true, ...options }),
    countDownloads: async () => Number(await send({ kind: 'downloads' })),
    close: () => page.context().close(),
  }
}

function settle(waiting: PromiseWithResolvers<unknown> | undefined, answer: Answer): void {
  if (answer.typeError !== undefined) waiting?.reject(new TypeError(answer.typeError))
  else if (answer.error !== undefined) waiting?.reject(fromWire(answer.error))
  else waiting?.resolve(answer.value)
}

function createEngine(line: Line, origin: string, options: EngineSetup['options']): Engine {
  let creation: Promise<unknown> | undefined
  return {
    name: 'onnx-web',
    async load<DeviceName extends string = never>(
      location: string,
      sessionOptions?: SessionOptions<DeviceName>,
    ): Promise<Session<DeviceName>> {
      creation ??= line.send({ kind: 'create', setup: { options } })
      const isPath = typeof location === 'string' && location.startsWith('/') && !location.includes('\0')
      const loaded = await line.send({
        kind: 'load',
        engine: Number(await creation),
        location: isPath ? `${origin}/models${location}` : location,
        options: sessionOptions ?? {},
      })
      return createSession(line, loaded as LoadedSession)
    },
  }
}

type LoadedSession = Pick<Session, 'inputs' | 'outputs' | 'provider'> & { readonly session: number }

function createSession<DeviceName extends string>(
  line: Line,
  { session, inputs, outputs, provider }: LoadedSession,
): Session<DeviceName> {
  let computing = provider
  return {
    inputs,
    outputs,
    get provider() {
      return computing
    },
    async run(feeds: Feeds) {
      const sent = Object.fromEntries(
        Object.entries(feeds).map(([name, feed]) => [name, places.get(feed) ?? feed]),
      )
      const reply = (await line.send({ kind: 'run', session, feeds: sent })) as RunReply
      computing = reply.provider
      const answers = Object.entries(reply.answers).map(([name, answer]) => [
        name,
        '$device' in answer ? createDeviceTensor(line, answer) : answer,
      ])
      return Object.fromEntries(answers) as Answers<DeviceName>
    },
    dispose: async () => void (await line.send({ kind: 'dispose', session })),
  }
}

interface RunReply {
  readonly answers: Readonly<Record<string, Tensor | DevicePlace>>
  readonly provider: Session['provider']
}

/** A device tensor of the page, as it is named in messages. */
interface DevicePlace extends Pick<DeviceTensor, 'type' | 'dims'> {
  readonly $device: number
}

const places = new WeakMap<object, DevicePlace>()

function createDeviceTensor(line: Line, place: DevicePlace): DeviceTensor {
  const { type, dims, $device: tensor } = place
  const deviceTensor: DeviceTensor = {
    type,
    dims,
    read: async () => (await line.send({ kind: 'read', tensor })) as Tensor,
    dispose: async () => void (await line.send({ kind: 'free', tensor })),
  }
  places.set(deviceTensor, place)
  return deviceTensor
}

async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  return page
}

function runtimeFiles(origin: string): OnnxWebFiles {
  const files = (build: string): OnnxWebFiles['wasm'] => ({
    module: `${origin}/ort/ort-wasm-simd-threaded${build}.mjs`,
    wasm: `${origin}/ort/ort-wasm-simd-threaded${build}.wasm`,
  })
  return { version: '1.30.0', webgpu: files('.asyncify'), wasm: files('') }
}

async function bundleWorker(): Promise<ReadonlyMap<string, Blob>> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dirname, 'page/engine-worker.ts')],
    target: 'browser',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    splitting: true,
    naming: { entry: 'engine-worker.js', chunk: '[name]-[hash].js' },
  })
  return new Map(outputs.map((output) => [output.path.replace(/^.*\//, ''), output]))
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

function answer(
  request: Request,
  server: Server<string>,
  bundle: ReadonlyMap<string, Blob>,
): Response | undefined {
  const { pathname, search } = new URL(request.url)
  const [, kind, name = ''] = pathname.split('/')
  const headers = kind === 'plain' ? {} : isolation
  switch (kind) {
    case 'socket':
      return server.upgrade(request, { data: name }) ? undefined : new Response(null, { status: 400 })
    case 'plain':
    case 'isolated': {
      const worker = `/worker/engine-worker.js?socket=ws://${new URL(request.url).host}/socket/${name}`
      const script = `new Worker(${JSON.stringify(worker)}, { type: 'module' })`
      const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">${script}</script>`
      return new Response(html, { headers: { ...headers, 'content-type': 'text/html' } })
    }
    case 'worker':
      return new Response(bundle.get(name), { headers: { ...headers, 'content-type': 'text/javascript' } })
    case 'ort':
      return new Response(Bun.file(join(runtimeFolder, name)), { headers })
    default:
      return answerModel(decodeURIComponent(pathname.replace(/^\/models/, '')), search === '?siblings')
  }
}

function answerModel(path: string, siblings: boolean): Response {
  const folder = dirname(path)
  if (!folder.startsWith(realpathSync(tmpdir())) || !existsSync(path))
    return new Response(null, { status: 404 })
  return siblings ? Response.json(readdirSync(folder)) : new Response(Bun.file(path))
}
