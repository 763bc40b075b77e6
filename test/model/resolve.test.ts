import { readFile } from 'node:fs/promises'
import { onnx } from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Backend, ModelRecord } from '../../runtime/model/backend.ts'
import { createModelResolver } from '../../runtime/model/resolve.ts'
import { encode, value } from '../support/onnx-graph.ts'
import { createScratch, type Scratch } from './scratch.ts'
import { actor, openScratchRegistry, question } from './scratch-registry.ts'

const openStore = (scratch: Scratch): Promise<ArtifactStore> =>
  openArtifactStore({ directory: scratch.path('models') })

/** The record of one stored file, as a backend over HTTP could give it. */
async function recordOf(
  scratch: Scratch,
  store: ArtifactStore,
  facts: Partial<ModelRecord> = {},
): Promise<ModelRecord> {
  const { digest, sizeBytes } = await store.put(await scratch.write('model.onnx', 'graph'))
  const artifact = { digest, url: null, checksum: null, sizeBytes, stamp: digest }
  return { id: 'digits', version: '1', artifact, fields: {}, ...facts }
}

/** A backend that finds nothing, and keeps what it was asked. */
function backendOf(facts: Partial<Backend> = {}): Backend & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    name: 'test',
    tenantScoped: true,
    asked,
    async find({ modelId, tenant }) {
      asked.push(modelId)
      return { tenant, versions: [] }
    },
    confirm: async ({ tenant }) => tenant,
    ...facts,
  }
}

const shown = (digest: string | null): string | undefined => digest?.slice(0, 32)

describe('a model that is prepared', () => {
  it('has a key, its digest, and what a function may know of it', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    await using registry = await openScratchRegistry(scratch)
    const fields = { labels: ['zero', 'one'], path: 'not this', version: 'nor this' }
    const source = await scratch.write('model.onnx', 'graph')
    const { digest } = await registry.add({ actor, id: 'digits', source, fields })
    const { find, prepare } = createModelResolver({ backend: registry, store })
    const { versions } = await find(question('digits', { tenant: 'acme' }))
    const prepared = await Promise.all(versions.map(({ record }) => prepare(record, 'acme')))
    const path = scratch.path('models/unpacked', digest)
    expect(prepared).toEqual([
      {
        key: `embedded//digits@1~${shown(digest)}`,
        digest,
        bytes: 'graph'.length,
        info: { id: 'digits', version: '1', labels: ['zero', 'one'], path },
      },
    ])
    expect(structuredClone(prepared)).toEqual(prepared)
    expect(Object.isFrozen(prepared[0]) && Object.isFrozen(prepared[0]?.info)).toBe(true)
    expect(await readFile(`${path}/model.onnx`, 'utf8')).toBe('graph')
  })

  it('has another key for another tenant where the backend is scoped by tenant', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const record = await recordOf(scratch, store)
    const { prepare } = createModelResolver({ backend: backendOf(), store })
    const digest = shown(record.artifact.digest)
    expect((await prepare(record, 'acme')).key).toBe(`test/acme/digits@1~${digest}`)
    expect((await prepare(record, null)).key).toBe(`test//digits@1~${digest}`)
  })

  it('has a key that its parts cannot forge', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const record = await recordOf(scratch, store, { id: 'c/d@e', version: '1@2~/é' })
    const { prepare } = createModelResolver({ backend: backendOf({ name: 'a/b' }), store })
    const digest = shown(record.artifact.digest)
    expect((await prepare(record, 't/u@v%')).key).toBe(
      `a%2Fb/t%2Fu%40v%25/c%2Fd%40e@1%402~%2F%C3%A9~${digest}`,
    )
  })

  it('is versioned by its digest where the backend has no versions', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const record = await recordOf(scratch, store, { version: null })
    const { info, digest } = await createModelResolver({ backend: backendOf(), store }).prepare(record, null)
    expect(info.version).toBe(digest.slice(0, 12))
  })

  it('is refused where its artifact is gone', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const record = await recordOf(scratch, store)
    await store.remove(record.artifact.digest ?? '')
    await expect(
      createModelResolver({ backend: backendOf(), store }).prepare(record, null),
    ).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason: 'missing' } })
  })
})

describe('a model that is asked for', () => {
  it('is asked of the backend', async () => {
    await using scratch = await createScratch()
    const backend = backendOf()
    const { find } = createModelResolver({ backend, store: await openStore(scratch) })
    expect(await find(question('digits@prod', { tenant: 'acme' }))).toEqual({ tenant: 'acme', versions: [] })
    expect(backend.asked).toEqual(['digits@prod'])
  })

  it('is not found where its id is not Unicode, and the backend is not asked', async () => {
    await using scratch = await createScratch()
    const backend = backendOf()
    const { find } = createModelResolver({ backend, store: await openStore(scratch) })
    await expect(find(question('\ud800'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    expect(backend.asked).toEqual([])
  })
})

describe('a model with external data', () => {
  it('loads from a registered folder and computes with its weights', async () => {
    await using scratch = await createScratch()
    const weights = {
      name: 'weights',
      dims: [3],
      dataType: onnx.TensorProto.DataType.FLOAT,
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [{ key: 'location', value: 'data/weights.bin' }],
    }
    const graph = {
      node: [{ opType: 'Add', input: ['x', 'weights'], output: ['y'] }],
      initializer: [weights],
      input: [value('x', 'float32', [3])],
      output: [value('y', 'float32', [3])],
    }
    await scratch.write('sums/model.onnx', encode(graph))
    await scratch.write('sums/data/weights.bin', new Uint8Array(Float32Array.of(10, 20, 30).buffer))
    const store = await openStore(scratch)
    await using registry = await openScratchRegistry(scratch)
    await registry.add({ actor, id: 'sums', source: scratch.path('sums') })
    const { find, prepare } = createModelResolver({ backend: registry, store })
    const [found] = (await find(question('sums'))).versions
    if (found === undefined) throw new Error('the model was not found')
    const { info } = await prepare(found.record, null)

    const session = await InferenceSession.create(`${info.path}/model.onnx`)
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [3]) })
    expect(y?.data).toEqual(Float32Array.of(11, 22, 33))
    await session.release()
  })
})
