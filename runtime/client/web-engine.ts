import { IsoplexError } from '../error/error.ts'
import { askKept } from '../page/kept-answer.ts'
import { type PageFunction, type PageManifest, pageManifestName, toPageManifest } from '../page/manifest.ts'
import type { LocalEngine, LocalReply, LocalRequest } from './local-engine.ts'
import { LocalCall } from './web-engine-call.ts'
import { Supervisor, type WorkerStart } from './web-engine-supervisor.ts'

/** How the page's engine is to be made. */
export interface WebEngineOptions {
  /** Where the files lie that were built for pages. @default `<baseUrl>/-/browser/` */
  readonly assets?: string
  /** What computes: `auto` is webgpu where it agrees with wasm, else wasm. @default 'auto' */
  readonly provider?: 'auto' | 'webgpu' | 'wasm'
  /** Whether an adapter that computes in software counts as webgpu. @default false */
  readonly softwareAdapters?: boolean
  /** The most bytes of models that are kept loaded; the least recently used goes first. @default 1073741824 (1 GiB) */
  readonly maxModelBytes?: number
  /** Whether functions' log lines of the level debug are written to the console. @default false */
  readonly debug?: boolean
}

/** How long a list of functions counts before it is asked for again; a new build is then seen. */
const freshMs = 30_000
/** How long a request may take where its function does not say; the server's default. */
const defaultTimeoutMs = 30_000
const defaultModelBytes = 1_073_741_824

/**
 * Makes what answers requests in the page itself: functions run in a worker of their own, which is started at the
 * first request, and replaced where it dies. Disposing of it ends the worker at once. Where there are no workers, as on
 * servers, it answers nothing, and says so.
 *
 * @throws {TypeError} where an option is outside its bounds.
 */
export function webEngine(options: WebEngineOptions = {}): LocalEngine {
  assertOptions(options)
  const sites = new Map<string, Site>()
  let isDisposed = false
  const siteOf = (baseUrl: string): Site => {
    if (isDisposed) throw new TypeError('This engine was disposed of.')
    if (!('Worker' in globalThis)) throw workerless()
    const assets = options.assets ?? `${baseUrl.replace(/\/+$/, '')}/-/browser/`
    const url = new URL(assets.endsWith('/') ? assets : `${assets}/`, globalThis.location?.href).href
    const site = sites.get(url) ?? new Site(url, options)
    sites.set(url, site)
    return site
  }
  return {
    offers: async (name, baseUrl) => siteOf(baseUrl).offers(name),
    answer: async (request) => siteOf(request.baseUrl).answer(request),
    async clear() {
      for (const site of sites.values()) site.clear()
      await clearKept()
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
      for (const site of sites.values()) site.dispose()
    },
  }
}

/** What was built for pages at one place, and the worker that runs it. */
class Site {
  readonly #url: string
  readonly #options: WebEngineOptions
  readonly #supervisor = new Supervisor()
  #manifest: Promise<PageManifest> | null = null
  #askedMs = 0

  constructor(url: string, options: WebEngineOptions) {
    this.#url = url
    this.#options = options
  }

  async offers(name: string): Promise<boolean> {
    return functionOf(await this.#list(), name) !== undefined
  }

  async answer(request: LocalRequest): Promise<LocalReply> {
    const { name, baseUrl, token, stickyKey, body, signal } = request
    const manifest = await this.#list()
    signal.throwIfAborted()
    const fn = functionOf(manifest, name)
    if (!fn) throw new IsoplexError('ROUTE_NOT_FOUND', `Function "${name}" was not built for pages.`)
    const message = {
      kind: 'request',
      name,
      moduleUrl: this.#resolve(fn.bundle),
      hasModel: fn.hasModel,
      baseUrl,
      token,
      stickyKey,
      head: headOf(request),
      // A view of a part would be sent with all that it is a part of.
      body: body.byteLength === body.buffer.byteLength ? body : body.slice(),
    } as const
    const call = new LocalCall(request, message, fn.timeoutMs ?? defaultTimeoutMs)
    this.#supervisor.answer(call, this.#startOf(manifest))
    return call.reply
  }

  clear(): void {
    this.#manifest = null
    this.#supervisor.clear()
  }

  dispose(): void {
    this.#supervisor.dispose(new IsoplexError('CANCELLED', 'The engine of this page was disposed of.'))
  }

  #list(): Promise<PageManifest> {
    const nowMs = performance.now()
    if (this.#manifest && nowMs - this.#askedMs < freshMs) return this.#manifest
    const asked = fetchManifest(this.#resolve(pageManifestName))
    this.#manifest = asked
    this.#askedMs = nowMs
    asked.catch(() => {
      if (this.#manifest === asked) this.#manifest = null
    })
    return asked
  }

  #startOf({ worker, onnx: { version, webgpu, wasm } }: PageManifest): WorkerStart {
    const { provider = 'auto', softwareAdapters = false, debug = false } = this.#options
    const { maxModelBytes = defaultModelBytes } = this.#options
    const filesOf = (files: typeof wasm): typeof wasm => ({
      module: this.#resolve(files.module),
      wasm: this.#resolve(files.wasm),
    })
    const onnx = { version, webgpu: filesOf(webgpu), wasm: filesOf(wasm) }
    return { moduleUrl: this.#resolve(worker), onnx, provider, softwareAdapters, maxModelBytes, debug }
  }

  #resolve(file: string): string {
    return new URL(file, this.#url).href
  }
}

function assertOptions({
  assets,
  provider = 'auto',
  maxModelBytes = defaultModelBytes,
}: WebEngineOptions): void {
  if (assets !== undefined && !URL.canParse(assets, globalThis.location?.href ?? 'http://server')) {
    throw new TypeError(`"assets" must be a URL; got ${String(assets).slice(0, 64)}.`)
  }
  if (!['auto', 'webgpu', 'wasm'].includes(provider)) {
    throw new TypeError(`"provider" must be auto, webgpu or wasm; got ${String(provider)}.`)
  }
  if (!(maxModelBytes > 0)) {
    throw new TypeError(`"maxModelBytes" must be above 0; got ${String(maxModelBytes)}.`)
  }
}

function workerless(): IsoplexError<'PROVIDER_UNAVAILABLE'> {
  const message = 'There are no workers here that functions could run in; a page has them.'
  return new IsoplexError('PROVIDER_UNAVAILABLE', message, { details: { missing: ['worker'] } })
}

function functionOf({ functions }: PageManifest, name: string): PageFunction | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined
}

function headOf({ requestId, method, url, params, contentType, accept }: LocalRequest) {
  const headers = Object.entries({ 'content-type': contentType, accept })
  return {
    requestId,
    // In a page there is nobody to tell apart.
    principal: 'anonymous',
    method,
    url,
    params,
    contentType,
    accept,
    headers: headers.filter((header): header is [string, string] => header[1] !== null),
  }
}

async function fetchManifest(url: string): Promise<PageManifest> {
  const manifest = toPageManifest(await askKept({ url }))
  if (manifest) return manifest
  throw new IsoplexError(
    'CONFIG_INVALID',
    `What "${new URL(url).host}" has as ${pageManifestName} is no list of functions for pages of this version; say with "assets" where they lie.`,
  )
}

/** Removes all that is kept for this origin under names of ours; what is being written stays. */
async function clearKept(): Promise<void> {
  const isOurs = (name: string): boolean => name.startsWith('isoplex-')
  if ('caches' in globalThis) {
    const names = await caches.keys()
    await Promise.all(names.filter(isOurs).map((name) => caches.delete(name)))
  }
  const folder = await globalThis.navigator?.storage?.getDirectory?.().catch(() => null)
  for (const name of folder ? await Array.fromAsync(folder.keys()) : []) {
    if (isOurs(name)) await folder?.removeEntry(name, { recursive: true }).catch(() => undefined)
  }
}
