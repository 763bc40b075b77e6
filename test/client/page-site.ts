import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { BuildOutput } from 'bun'
import type { PageManifest } from '../../runtime/page/manifest.ts'
import type { PageModel } from '../../runtime/page/model.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'

const root = new URL('../..', import.meta.url).pathname
const onnxFolder = join(root, 'node_modules/onnxruntime-web/dist')

/** A site whose pages run functions: what an isoplex server would serve, as far as a page asks for it. */
export interface PageSite extends AsyncDisposable {
  /** Where pages are, behind a proxy that harms replies. */
  readonly url: string
  /** The same site at another origin. */
  readonly otherUrl: string
  readonly proxy: FaultProxy
  /** Models by the tokens that stand for them. */
  readonly models: Map<string, Uint8Array<ArrayBuffer>>
  readonly functions: Record<string, PageManifest['functions'][string]>
  /** Headers of the page and its files. */
  readonly headers: Record<string, string>
}

/** Functions of the site: by name, where their sources are, relative to this folder. */
const sources: Readonly<Record<string, { readonly file: string; readonly timeoutMs?: number }>> = {
  adding: { file: '../page/fixtures/adding.ts' },
  behaving: { file: 'fixtures/behaving.ts', timeoutMs: 2_000 },
  endless: { file: 'fixtures/endless.ts' },
  once: { file: 'fixtures/once.ts' },
  broken: { file: '../page/fixtures/throwing.ts' },
}

/** Builds the site's files and starts its server. */
export async function openPageSite(): Promise<PageSite> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-site-'))
  const here = new URL('.', import.meta.url).pathname
  const worker = await bundle(join(root, 'runtime/entry/page-worker.ts'), directory)
  const page = await bundle(join(here, 'fixtures/engine-page.ts'), directory)
  const functions: Record<string, PageManifest['functions'][string]> = {}
  for (const [name, { file, ...rest }] of Object.entries(sources)) {
    functions[name] = {
      bundle: await bundle(join(here, file), directory),
      hasModel: name === 'adding',
      ...rest,
    }
  }
  const models = new Map<string, Uint8Array<ArrayBuffer>>()
  const headers: Record<string, string> = {}
  const { version } = JSON.parse(await readFile(join(onnxFolder, '../package.json'), 'utf8'))
  const manifest = (): PageManifest => ({
    isoplexPage: 1,
    functions,
    worker,
    onnx: {
      version,
      webgpu: filesOf('ort-wasm-simd-threaded.asyncify'),
      wasm: filesOf('ort-wasm-simd-threaded'),
    },
  })
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/favicon.ico') return new Response(null, { status: 204 })
      if (pathname === '/page')
        return new Response(shell(page), { headers: { 'content-type': 'text/html', ...headers } })
      if (pathname === '/-/browser/index.json') {
        return Response.json(manifest(), { headers: { 'cache-control': 'no-cache', ...open } })
      }
      if (pathname.startsWith('/-/browser/')) return asset(basename(pathname), directory, headers)
      const token = request.headers.get('serve_multiplexed_model_id') ?? ''
      if (pathname.startsWith('/-/grants/')) return grantOf(token, models.get(token))
      const bytes = [...models.values()].find((model) => pathname === `/artifacts/${digestOf(model)}`)
      return bytes ? new Response(bytes) : new Response('', { status: 404 })
    },
  })
  const proxy = await startFaultProxy(`http://127.0.0.1:${server.port}`)
  return {
    url: proxy.url,
    otherUrl: `http://127.0.0.1:${server.port}`,
    proxy,
    models,
    functions,
    headers,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await server.stop(true)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** What pages of other origins need to import. */
const open = { 'access-control-allow-origin': '*' }

async function bundle(entry: string, directory: string): Promise<string> {
  const built: BuildOutput = await Bun.build({
    entrypoints: [entry],
    target: 'browser',
    format: 'esm',
    minify: true,
    conditions: ['onnxruntime-web-use-extern-wasm'],
  })
  const [output] = built.outputs
  if (!output) throw new Error(`${entry} gave nothing.`)
  const code = await output.text()
  const name = `${basename(entry, '.ts')}-${digestOf(new TextEncoder().encode(code)).slice(0, 12)}.js`
  await Bun.write(join(directory, name), code)
  return name
}

function filesOf(name: string): { readonly module: string; readonly wasm: string } {
  return { module: `${name}.mjs`, wasm: `${name}.wasm` }
}

async function asset(
  name: string,
  directory: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const file = Bun.file(join(name.startsWith('ort-') ? onnxFolder : directory, name))
  if (!(await file.exists())) return new Response('', { status: 404, headers: open })
  return new Response(file, {
    headers: { 'cache-control': 'public, max-age=31536000, immutable', ...open, ...headers },
  })
}

function shell(script: string): string {
  return `<!doctype html><meta charset="utf-8"><title>Page</title><script type="module" src="/-/browser/${script}"></script>`
}

function grantOf(token: string, bytes: Uint8Array | undefined): Response {
  if (!bytes) {
    const problem = { code: 'TOKEN_INVALID', detail: 'It is over.', status: 401, reason: 'expired' }
    return Response.json(problem, { status: 401 })
  }
  const digest = digestOf(bytes)
  const grant: PageModel = {
    key: digest,
    id: token,
    version: '1',
    fields: {},
    digest,
    sizeBytes: bytes.length,
    url: `/artifacts/${digest}`,
    expiresAtMs: Date.now() + 60_000,
  }
  return Response.json(grant)
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
