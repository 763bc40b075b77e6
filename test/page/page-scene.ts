import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import type { FunctionLog } from '../../runtime/define/context.ts'
import type { Engine } from '../../runtime/engine/engine.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { ArtifactStore } from '../../runtime/page/artifact.ts'
import { PageHost } from '../../runtime/page/host.ts'
import type { HostMessage, RequestMessage } from '../../runtime/page/message.ts'
import type { PageModel } from '../../runtime/page/model.ts'
import { ModelFolders } from '../../runtime/page/model-folders.ts'

/** A model that the scene's server gives grants for. */
export interface OfferedModel {
  readonly id: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly version?: string
  /** What the grant says instead of the truth. */
  readonly claims?: Partial<PageModel>
}

/** A host with a server that knows models by tokens: the token is the model's id. */
export interface PageScene extends AsyncDisposable {
  readonly host: PageHost
  readonly baseUrl: string
  readonly models: Map<string, OfferedModel>
  readonly messages: readonly HostMessage[]
  readonly lines: readonly unknown[]
  /** How many times each path was asked for. */
  readonly asked: ReadonlyMap<string, number>
  /** Holds artifacts back until it is called. */
  holdArtifacts(): () => void
  /** Sends a request; gives its id. */
  send(request: Partial<RequestMessage> & { readonly json?: unknown }): number
  /** Waits for a message that fits. */
  message(fits: (message: HostMessage) => boolean): Promise<HostMessage>
  /** The last message about a request. */
  end(id: number): Promise<HostMessage>
  /** The JSON that a request was answered with. */
  value(id: number): Promise<unknown>
  /** Ends the server. */
  leave(): Promise<void>
}

/** The URL of a fixture, as a page would be told it. */
export function fixture(name: string): string {
  return new URL(`./fixtures/${name}.ts`, import.meta.url).href
}

/** Sets a scene up. */
export async function openScene(options: { readonly maxModelBytes?: number } = {}): Promise<PageScene> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-page-'))
  const models = new Map<string, OfferedModel>()
  const asked = new Map<string, number>()
  const gates: Promise<void>[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      asked.set(pathname, (asked.get(pathname) ?? 0) + 1)
      const token = request.headers.get('serve_multiplexed_model_id') ?? ''
      if (pathname.startsWith('/-/grants/')) return grantOf(models.get(token))
      await Promise.all(gates)
      const model = [...models.values()].find((offered) => pathname === pathOf(offered))
      return model ? new Response(model.bytes) : new Response('', { status: 404 })
    },
  })
  const baseUrl = `http://127.0.0.1:${server.port}`
  const messages: HostMessage[] = []
  const watchers = new Set<() => void>()
  const lines: unknown[] = []
  const folders = new ModelFolders()
  const host = new PageHost({
    engine: writingEngine(folders, directory),
    artifacts: plainStore,
    folders,
    log: logInto(lines),
    // A worker's message is a copy, and what is handed over is gone here.
    post: (message, transfer) => {
      messages.push(structuredClone(message, { transfer: [...transfer] }))
      for (const watcher of watchers) watcher()
    },
    maxModelBytes: options.maxModelBytes ?? 1_073_741_824,
  })
  const message: PageScene['message'] = async (fits) => {
    for (;;) {
      const found = messages.find(fits)
      if (found) return found
      await new Promise<void>((resolve) => watchers.add(resolve))
    }
  }
  const end: PageScene['end'] = (id) =>
    message((told) => 'id' in told && told.id === id && ['reply', 'refusal', 'end'].includes(told.kind))
  let lastId = 0
  return {
    host,
    baseUrl,
    models,
    messages,
    lines,
    asked,
    holdArtifacts() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gates.push(promise)
      return resolve
    },
    send({ json = {}, ...rest }) {
      const id = ++lastId
      const name = rest.name ?? 'adding'
      host.receive({
        kind: 'request',
        id,
        name,
        moduleUrl: fixture(name),
        hasModel: name === 'adding',
        baseUrl,
        token: null,
        head: headOf(`request-${id}`),
        body: new TextEncoder().encode(JSON.stringify(json)),
        alone: false,
        ...rest,
      })
      return id
    },
    message,
    end,
    async value(id) {
      const told = await end(id)
      if (told.kind !== 'reply' || typeof told.body !== 'string') throw new Error(JSON.stringify(told))
      return JSON.parse(told.body)
    },
    leave: () => server.stop(true),
    async [Symbol.asyncDispose]() {
      await server.stop(true)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function headOf(requestId: string): RequestMessage['head'] {
  return {
    requestId,
    principal: 'anonymous',
    method: 'POST',
    url: '/adding',
    params: {},
    contentType: 'application/json',
    accept: null,
    headers: [],
  }
}

function grantOf(model: OfferedModel | undefined): Response {
  if (!model) {
    const problem = { code: 'TOKEN_INVALID', detail: 'It is over.', status: 401, reason: 'expired' }
    return Response.json(problem, { status: 401 })
  }
  const { id, bytes, version = '1', claims } = model
  const digest = createHash('sha256').update(bytes).digest('hex')
  const grant: PageModel = {
    key: `${id}@${version}`,
    id,
    version,
    fields: { note: 'from the backend', path: '/etc', id: 'another' },
    digest,
    sizeBytes: bytes.length,
    url: pathOf(model),
    expiresAtMs: Date.now() + 60_000,
    ...claims,
  }
  return Response.json(grant)
}

/** Where a model's artifact is. */
function pathOf({ id, version = '1' }: OfferedModel): string {
  return `/artifacts/${id}/${version}`
}

/** A store that keeps nothing. */
const plainStore: ArtifactStore = {
  async obtain({ url, digest }, { baseUrl, signal, onProgress, renew }) {
    let reply = await fetch(baseUrl + url, { signal })
    if (!reply.ok && renew) reply = await fetch(baseUrl + (await renew()).url, { signal })
    if (!reply.ok) throw new IsoplexError('GRANT_INVALID', 'The link is over.')
    const bytes = new Uint8Array(await reply.arrayBuffer())
    onProgress(bytes.length, bytes.length)
    return { digest, bytes: bytes.length, names: ['model.onnx'], read: async () => bytes }
  },
  clear: async () => undefined,
}

/** The server's engine, which wants its files on a disk. */
function writingEngine(folders: ModelFolders, directory: string): Engine {
  const engine = createOnnxNodeEngine()
  return {
    name: engine.name,
    async load(location, options) {
      const path = join(directory, location)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, await folders.read(location))
      return engine.load(path, options)
    },
  }
}

function logInto(lines: unknown[]): FunctionLog {
  const write =
    (level: keyof FunctionLog) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void lines.push({ level, message, ...fields })
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
