import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../runtime/config/loader.ts'
import {
  type ModelHost,
  modelSettingsOf,
  openModelHost,
  serverAccessTokenOf,
} from '../../runtime/entry/model-host.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import { HostileServer } from '../support/hostile-server.ts'
import { addConstantModel } from '../support/onnx-models.ts'

function open(scratch: Scratch, flags: Readonly<Record<string, unknown>> = {}): Promise<ModelHost> {
  return openModelHost({
    directory: scratch.directory,
    settings: modelSettingsOf(resolveConfig({ flags })),
    serverAccessToken: 'of this server',
    onPruningFailed: (error) => {
      throw error
    },
  })
}

const byOperator = { accessToken: null, proven: true, tenant: null }

describe('the models of a host', () => {
  it('come from the embedded registry where nothing else is said', async () => {
    await using scratch = await createScratch()
    await using host = await open(scratch)
    const source = await scratch.write('five.onnx', addConstantModel(5))
    await host.registry.add({ actor: 'test', id: 'five', source })
    const { versions } = await host.resolver.find({ ...byOperator, modelId: 'five' })
    expect(versions).toMatchObject([{ record: { id: 'five', version: '1' } }])
    expect(host.backend).toBe(host.registry)
  })

  it('come from the Synapse backend where that is named, by the access token of this server', async () => {
    await using scratch = await createScratch()
    await using backend = await HostileServer.start()
    const file = addConstantModel(5, 65_536)
    backend.reply('/models/5/', { kind: 'json', value: { id: 5, file: `${backend.url}/five` } })
    backend.reply('/five', { kind: 'file', bytes: file, ranges: 'honoured' })
    await using host = await open(scratch, { backend: 'synapse', backendUrl: backend.url })
    expect(await host.keeping.pullModel({ id: '5', tenant: null })).toHaveLength(1)
    const [asked, downloaded] = backend.requests
    expect(asked?.headers.get('authorization')).toBe('Token of this server')
    expect(downloaded?.headers.has('authorization')).toBe(false)
  })

  it('are held to the largest artifact and to the hosts of the configuration', async () => {
    await using scratch = await createScratch()
    await using backend = await HostileServer.start()
    await using elsewhere = await HostileServer.start()
    backend.reply('/models/5/', { kind: 'json', value: { id: 5, file: `${backend.url}/five` } })
    backend.reply('/models/6/', { kind: 'json', value: { id: 6, file: `${elsewhere.url}/six` } })
    backend.reply('/five', { kind: 'file', bytes: addConstantModel(5, 65_536), ranges: 'honoured' })
    elsewhere.reply('/six', { kind: 'file', bytes: addConstantModel(6), ranges: 'honoured' })
    const flags = { backend: 'synapse', backendUrl: backend.url, maxArtifactBytes: 4_096 }
    const pull = async (id: string, more = {}): Promise<unknown> => {
      await using host = await open(scratch, { ...flags, ...more })
      return await host.keeping.pullModel({ id, tenant: null })
    }
    await expect(pull('5')).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason: 'too-large' },
    })
    await expect(pull('6')).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason: 'url-scheme' },
    })
    expect(elsewhere.requests).toEqual([])
    expect(await pull('6', { artifactHosts: [elsewhere.url] })).toHaveLength(1)
  })
})

describe('the access token of this server', () => {
  it.each([
    [{}, null],
    [{ SYNAPSE_ACCESS_TOKEN: '' }, null],
    [{ SYNAPSE_ACCESS_TOKEN: 'x' }, 'x'],
  ])('of %j is %j', (environment, token) => {
    expect(serverAccessTokenOf(environment)).toBe(token)
  })
})
