import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createControlClient } from '../../runtime/cli/control-client.ts'
import { isControlled } from '../../runtime/control/ask.ts'
import { createAdministration, type ReportingAdministration } from '../../runtime/model/administration.ts'
import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Progress } from '../../runtime/model/progress.ts'
import { openRegistry, type Registry } from '../../runtime/model/registry.ts'
import { createModelResolver } from '../../runtime/model/resolve.ts'
import { createStoreKeeping } from '../../runtime/model/store-keeping.ts'
import { createAdministrationRoutes, identifyAsLocal } from '../../runtime/server/admin/routes.ts'
import { BodyBudget } from '../../runtime/server/body.ts'
import { type ControlServer, openControlServer } from '../../runtime/server/control-server.ts'
import { ModelPlacement } from '../../runtime/server/residency/model-placement.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import { createMemoryDeployments } from '../server/memory-deployments.ts'
import { createMemoryResidency } from '../server/residency/memory-residency.ts'
import { sourceOfEverything, surround } from '../server/served.ts'
import { addConstantModel } from '../support/onnx-models.ts'

let scratch: Scratch
let registry: Registry
let direct: ReportingAdministration
let client: ReturnType<typeof createControlClient>
let server: ControlServer
beforeEach(async () => {
  scratch = await createScratch()
  const { directory } = scratch
  const store = await openArtifactStore({ directory })
  registry = await openRegistry({ directory, store })
  direct = createAdministration(registry)
  const routes = createAdministrationRoutes({
    administration: direct,
    store: createStoreKeeping({
      store,
      registry,
      resolver: createModelResolver({ backend: registry, store }),
    }),
    placement: new ModelPlacement({
      residency: createMemoryResidency(),
      source: sourceOfEverything(),
      log: surround().exchange.log,
      pinnedModels: [],
      preloadModels: [],
    }),
    deployments: createMemoryDeployments(),
    urlOf: () => new URL('http://localhost:3000'),
    registerUpload: () => Promise.reject(new Error('nobody uploads to a socket')),
    identify: identifyAsLocal,
    body: { budget: new BodyBudget(1_000_000), timeoutMs: 1_000 },
    log: surround().exchange.log,
  })
  const socketPath = scratch.path('control.sock')
  server = openControlServer({ socketPath, routes, log: surround().exchange.log })
  client = createControlClient(socketPath)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await registry.close()
  await scratch[Symbol.asyncDispose]()
})

const actor = 'whoever'

describe('the control client', () => {
  it('does to models what the administration does, in the name of who is at the machine', async () => {
    const source = await scratch.write('a.onnx', addConstantModel(1))
    const heard: Progress[] = []
    const onProgress = (progress: Progress): void => void heard.push(progress)
    const fields = { labels: ['é'] }
    const added = await client.addModel({ actor, id: 'a', source, fields, tenant: 'acme', onProgress })
    expect(added).toMatchObject({ id: 'a', version: 1, changed: true })
    expect(heard.at(-1)).toEqual({ doneBytes: added.sizeBytes, totalBytes: added.sizeBytes })
    expect(await client.listModels({})).toEqual(await direct.listModels({}))
    const targets = [{ version: 1, weight: 2 }]
    expect(await client.setAlias({ actor, id: 'a', alias: 'prod', targets })).toEqual({
      alias: 'prod',
      targets,
    })
    expect(await client.showModel({ id: 'a' })).toMatchObject({ tenant: 'acme', versions: [{ fields }] })
    await client.removeAlias({ actor, id: 'a', alias: 'prod' })
    await client.removeModel({ actor, id: 'a', version: 1 })
    expect(await client.listModels({})).toEqual([])
    const actors = (await client.listAudit({ limit: 10 })).map((entry) => entry.actor)
    expect(new Set(actors)).toEqual(new Set(['local']))
  })

  it('does to tenants and accesses what the administration does', async () => {
    const name = 'a/b?c#d%e é'
    expect(await client.addTenant({ actor, name })).toMatchObject({ name })
    const least = { tenant: name, models: ['a'], rights: 'publish', label: 'x', expiresAtMs: null } as const
    const { id, token } = await client.addAccess({ actor, ...least })
    expect(await direct.checkAccess({ token })).toMatchObject({ id, tenant: name, rights: 'publish' })
    expect(await client.listAccesses({})).toEqual(await direct.listAccesses({}))
    expect(await client.revokeAccess({ actor, id })).toMatchObject({ id, revokedAtMs: expect.any(Number) })
    expect(await client.revokeTenant({ actor, name })).toMatchObject({ revokedAtMs: expect.any(Number) })
    expect(await client.listTenants({})).toEqual(await direct.listTenants({}))
    const [newest, second] = await client.listAudit({ limit: 2 })
    expect(await client.listAudit({ limit: 1, before: newest?.id ?? 0 })).toEqual([second])
  })

  it('keeps the store', async () => {
    const source = await scratch.write('a.onnx', addConstantModel(1))
    const { digest } = await client.addModel({ actor, id: 'a', source })
    expect(await client.listTransfers({})).toEqual([])
    expect(await client.verifyStore({ remove: false })).toEqual([])
    expect(await client.pruneStore({ maxBytes: 0 })).toMatchObject({ removed: [] })
    await scratch.write(`artifacts/${digest}`, 'broken')
    expect(await client.verifyStore({ remove: true })).toEqual([{ digest, part: 'artifact', file: null }])
    expect(await client.verifyStore({ remove: false })).toEqual([])
  })

  it('throws what the administration throws, with its details', async () => {
    await expect(client.showModel({ id: '../a' })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    const nowhere = client.addModel({ actor, id: 'a', source: scratch.path('nowhere') })
    await expect(nowhere).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '/source' }] },
    })
    await expect(client.revokeAccess({ actor, id: 9 })).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' })
  })

  it('knows whether a server answers', async () => {
    expect(await isControlled(server.socketPath)).toBe(true)
    expect(await isControlled(scratch.path('nowhere.sock'))).toBe(false)
  })
})
