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
import type { MessagePost } from '../../runtime/page/message-sink.ts'
import type { PageModel } from '../../runtime/page/model.ts'
import { ModelFolders } from '../../runtime/page/model-folders.ts'
import { addConstantModel } from '../support/onnx-models.ts'

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

/** Makes a scene's server have a model that adds so much; gives the token that stands for it. */
export function offer(scene: PageScene, constant: number): string {
  const id = `plus-${constant}`
  scene.models.set(id, { id, bytes: addConstantModel(constant) })
  return id
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Sets a scene up. */
export async function openScene({ maxModelBytes = 1_073_741_824 } = {}): Promise<PageScene> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-page-'))
  const server = startModelServer()
  const box = createBox()
  const lines: unknown[] = []
  const folders = new ModelFolders()
  const host = new PageHost({
    engine: writingEngine(folders, directory),
    artifacts: plainStore,
    folders,
    log: logInto(lines),
    post: box.post,
    maxModelBytes,
  })
  const end: PageScene['end'] = (id) =>
    box.message((told) => 'id' in told && told.id === id && ['reply', 'refusal', 'end'].includes(told.kind))
  let lastId = 0
  return {
    host,
    lines,
    ...server,
    messages: box.messages,
    message: box.message,
    end,
    send(request) {
      const id = ++lastId
      host.receive(requestOf(id, server.baseUrl, request))
      return id
    },
    async value(id) {
      const told = await end(id)
      if (told.kind !== 'reply' || typeof told.body !== 'string') throw new Error(JSON.stringify(told))
      return JSON.parse(told.body)
    },
    async [Symbol.asyncDispose]() {
      await server.leave()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

type ModelServer = Pick<PageScene, 'baseUrl' | 'models' | 'asked' | 'holdArtifacts' | 'leave'>

function startModelServer(): ModelServer {
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
  return {
    baseUrl: `http://127.0.0.1:${server.port}`,
    models,
    asked,
    holdArtifacts() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gates.push(promise)
      return resolve
    },
    leave: () => server.stop(true),
  }
}

/** Where a host's messages go. */
function createBox(): Pick<PageScene, 'messages' | 'message'> & { readonly post: MessagePost } {
  const messages: HostMessage[] = []
  const watchers = new Set<() => void>()
  return {
    messages,
    // A worker's message is a copy, and what is handed over is gone here.
    post(message, transfer) {
      messages.push(structuredClone(message, { transfer: [...transfer] }))
      for (const watcher of watchers) watcher()
    },
    async message(fits) {
      for (;;) {
        const found = messages.find(fits)
        if (found) return found
        await new Promise<void>((resolve) => watchers.add(resolve))
      }
    },
  }
}

function requestOf(
  id: number,
  baseUrl: string,
  { json = {}, ...rest }: Parameters<PageScene['send']>[0],
): RequestMessage {
  const name = rest.name ?? 'adding'
  return {
    kind: 'request',
    id,
    name,
    moduleUrl: fixture(name),
    hasModel: name === 'adding',
    baseUrl,
    token: null,
    stickyKey: null,
    head: headOf(`request-${id}`),
    body: new TextEncoder().encode(JSON.stringify(json)),
    alone: false,
    ...rest,
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
