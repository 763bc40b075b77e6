import { Type } from '@sinclair/typebox'
import { createArtifactGrants } from '../../runtime/auth/grant.ts'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import type { FunctionLog } from '../../runtime/define/context.ts'
import { defineInference, onnx } from '../../runtime/index.ts'
import type { AccessOptions } from '../../runtime/model/access-table.ts'
import { createAdministration, type ReportingAdministration } from '../../runtime/model/administration.ts'
import { type ArtifactStore, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { openRegistry, type Registry } from '../../runtime/model/registry.ts'
import { createModelResolver } from '../../runtime/model/resolve.ts'
import { createStoreKeeping, type StoreKeeping } from '../../runtime/model/store-keeping.ts'
import { openUploads } from '../../runtime/model/upload.ts'
import { createAdministrationRoutes, identifyByAccess } from '../../runtime/server/admin/routes.ts'
import { createApp } from '../../runtime/server/app.ts'
import { BodyBudget } from '../../runtime/server/body.ts'
import { createRegistryRoutes } from '../../runtime/server/registry/routes.ts'
import type { RegistryService } from '../../runtime/server/registry/service.ts'
import { ModelPlacement } from '../../runtime/server/residency/model-placement.ts'
import type { SystemRoute } from '../../runtime/server/system-route.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { createMemoryDeployments, deploymentReportOf } from './memory-deployments.ts'
import { createMemoryResidency } from './residency/memory-residency.ts'
import { deploymentOf, type LogEntry, manifestOf, surround } from './served.ts'

/** A reply that was read. */
export interface ReadReply {
  readonly status: number
  readonly headers: Headers
  readonly json: ReturnType<typeof JSON.parse>
}

/** A registry behind the routes of a server. */
export interface ServedRegistry extends AsyncDisposable {
  readonly scratch: Scratch
  readonly administration: ReportingAdministration
  readonly log: readonly LogEntry[]
  /** The time by which grants are made and checked, in milliseconds since 1970. */
  nowMs: number
  /** Adds a model that adds a number, and gives the digest of its artifact. */
  addModel(id: string, addend: number, tenant?: string): Promise<string>
  /** Makes an access, with its tenant where it has one, and gives its token. */
  token(access: Partial<AccessOptions>): Promise<string>
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Sends JSON where it is given, with a token of one scheme, and reads the reply. */
  call(path: string, options?: CallOptions): Promise<ReadReply>
}

/** What a call sends. */
export interface CallOptions {
  readonly method?: string
  readonly json?: unknown
  readonly body?: BodyInit
  readonly bearer?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The most bytes of an upload. */
export const maxUploadBytes = 10_000

/** The path of a URL that a reply names. */
export function pathOf(url: string): string {
  if (!url.startsWith(`${origin}/`)) throw new Error(`${url} is not of this server`)
  return url.slice(origin.length)
}

const origin = 'http://localhost:3000'

/** Serves the routes over a registry of their own, which they call directly, not by way of a thread. */
export async function serveRegistry(): Promise<ServedRegistry> {
  const scratch = await createScratch()
  const { directory } = scratch
  const store = await openArtifactStore({ directory })
  const registry = await openRegistry({ directory, store })
  const administration = createAdministration(registry)
  const service = await serviceOf({ scratch, store, registry })
  const around = surround()
  const placement = placementOf({ store, registry }, around.exchange.log)
  const clock = { nowMs: Date.now() }
  const systemRoutes = await routesOf({
    administration,
    store: createStoreKeeping({
      store,
      registry,
      resolver: createModelResolver({ backend: registry, store }),
    }),
    service,
    placement,
    log: around.exchange.log,
    clock,
  })
  const app = createApp({
    submissions: null,
    manifest: { functions: [], broken: [] },
    functions: [],
    identity: { appName: 'app@1.0.0', routePrefix: '' },
    exchange: around.exchange,
    corsOrigins: [],
    readiness: () => ({ ready: true }),
    systemRoutes,
  })
  const fetch = async (path: string, init?: RequestInit): Promise<Response> =>
    await app.fetch(new Request(origin + path, init))
  return Object.assign(clock, {
    scratch,
    administration,
    log: around.log,
    ...addingTo(administration, scratch),
    fetch,
    call: (path: string, options: CallOptions = {}) => callBy(fetch, path, options),
    async [Symbol.asyncDispose]() {
      await registry.close()
      await scratch[Symbol.asyncDispose]()
    },
  })
}

/** A placement of the registry's models, for one function, in a residency that loads in no time. */
function placementOf({ store, registry }: Omit<Stored, 'scratch'>, log: FunctionLog): ModelPlacement {
  const residency = createMemoryResidency()
  const source = createModelResolver({ backend: registry, store })
  const placement = new ModelPlacement({ residency, source, log, pinnedModels: [], preloadModels: [] })
  const definition = defineInference({ input: Type.Unknown(), model: onnx(), infer: () => null })
  const manifest = manifestOf('read.ts', definition)
  placement.follow([{ manifest, deployment: deploymentOf(manifest) }])
  return placement
}

interface Stored {
  readonly scratch: Scratch
  readonly store: ArtifactStore
  readonly registry: Registry
}

async function serviceOf({ scratch, store, registry }: Stored): Promise<RegistryService> {
  const { checkAccess, listModels } = createAdministration(registry)
  const uploads = await openUploads(scratch.path('staging'), { maxBytes: maxUploadBytes })
  return {
    checkAccess,
    listModels,
    find: (question) => registry.find(question),
    registerApplication: (application) => registry.registerApplication(application),
    listApplications: (of) => registry.listApplications(of),
    findArtifact: (digest) => store.locate(digest),
    beginUpload: (accessId, chunk) => uploads.begin(accessId, chunk),
    appendUpload: (name, chunk) => uploads.append(name, chunk),
    finishUpload: (name, md5) => uploads.finish(name, md5),
    registerUpload: ({ upload, publisher, ...model }) =>
      uploads.use(upload, (source) => {
        return registry.add({ ...model, source, ...(publisher === null ? {} : { publisher }) })
      }),
  }
}

interface Routed {
  readonly administration: ReportingAdministration
  readonly store: StoreKeeping
  readonly service: RegistryService
  readonly placement: ModelPlacement
  readonly log: FunctionLog
  readonly clock: { readonly nowMs: number }
}

async function routesOf({
  administration,
  store,
  service,
  placement,
  log,
  clock,
}: Routed): Promise<readonly SystemRoute[]> {
  const { registerUpload } = service
  const key = await createProjectKey(crypto.getRandomValues(new Uint8Array(32)))
  const body = { budget: new BodyBudget(1_000_000), timeoutMs: 1_000 }
  const identify = identifyByAccess(service.checkAccess)
  return [
    ...createAdministrationRoutes({
      administration,
      store,
      placement,
      deployments: createMemoryDeployments(deploymentReportOf('digits')),
      urlOf: () => new URL('http://localhost:3000'),
      registerUpload,
      identify,
      body,
      log,
    }),
    ...createRegistryRoutes({
      registry: service,
      grants: createArtifactGrants([key]),
      publicUrl: null,
      body,
      now: () => clock.nowMs,
    }),
  ]
}

function addingTo(
  administration: ReportingAdministration,
  scratch: Scratch,
): Pick<ServedRegistry, 'addModel' | 'token'> {
  return {
    async addModel(id, addend, tenant) {
      const source = await scratch.write(`${id}.onnx`, addConstantModel(addend))
      const owned = tenant === undefined ? {} : { tenant }
      return (await administration.addModel({ actor: 'test', id, source, ...owned })).digest
    },
    async token(access) {
      if (access.tenant) await administration.addTenant({ actor: 'test', name: access.tenant })
      const least = { tenant: null, models: null, rights: 'use', label: '', expiresAtMs: null } as const
      return (await administration.addAccess({ actor: 'test', ...least, ...access })).token
    },
  }
}

async function callBy(
  fetch: ServedRegistry['fetch'],
  path: string,
  options: CallOptions,
): Promise<ReadReply> {
  const { json, bearer, token, headers } = options
  const body = json === undefined ? options.body : JSON.stringify(json)
  const reply = await fetch(path, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(token === undefined ? {} : { authorization: `Token ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, json: text === '' ? undefined : JSON.parse(text) }
}
