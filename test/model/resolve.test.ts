import { readFile } from 'node:fs/promises'
import { onnx } from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Backend } from '../../runtime/model/backend.ts'
import { openRegistry } from '../../runtime/model/registry.ts'
import { createModelResolver } from '../../runtime/model/resolve.ts'
import { encode, value } from '../support/onnx-graph.ts'
import { createScratch, type Scratch } from './scratch.ts'

const openStore = (scratch: Scratch): Promise<ArtifactStore> =>
  openArtifactStore({ directory: scratch.path('store') })

/** A backend over one stored file, such as one over HTTP could be. */
async function backendOf(
  scratch: Scratch,
  store: ArtifactStore,
  facts: Partial<Backend> & {
    readonly id?: string
    readonly version?: string
    readonly fields?: Record<string, unknown>
  },
): Promise<Backend & { readonly asked: string[] }> {
  const { digest, sizeBytes } = await store.put(await scratch.write('model.onnx', 'graph'))
  const { id = 'digits', version = '1', fields = {}, ...rest } = facts
  const asked: string[] = []
  return {
    name: 'test',
    tenantScoped: true,
    asked,
    async find(modelId, tenant) {
      asked.push(`${modelId} of ${tenant}`)
      return { id, version, digest, sizeBytes, fields }
    },
    ...rest,
  }
}

describe('a resolved model', () => {
  it('has a key, its size, and what a function may know of it', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const registry = await openRegistry({ directory: scratch.path('store'), store })
    const fields = { labels: ['zero', 'one'], path: 'not this', version: 'nor this' }
    const { digest } = await registry.add({
      id: 'digits',
      source: await scratch.write('model.onnx', 'graph'),
      fields,
    })
    const { resolve } = createModelResolver({ backend: registry, store })
    const resolved = await resolve('digits', 'some tenant')
    expect(resolved).toEqual({
      key: 'embedded//digits@1',
      sizeBytes: 5,
      info: {
        id: 'digits',
        version: '1',
        labels: ['zero', 'one'],
        path: scratch.path('store/unpacked', digest),
      },
    })
    expect(structuredClone(resolved)).toEqual(resolved)
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.info)).toBe(true)
    expect(await readFile(`${resolved.info.path}/model.onnx`, 'utf8')).toBe('graph')
    await registry.close()
  })

  it('has another key for another tenant where the backend is scoped by tenant', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const { resolve } = createModelResolver({ backend: await backendOf(scratch, store, {}), store })
    expect((await resolve('digits', 'acme')).key).toBe('test/acme/digits@1')
    expect((await resolve('digits', null)).key).toBe('test//digits@1')
  })

  it('has a key that its parts cannot forge', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const backend = await backendOf(scratch, store, { name: 'a/b', id: 'c/d@e', version: '1@2/é' })
    const { resolve } = createModelResolver({ backend, store })
    expect((await resolve('x', 't/u@v%')).key).toBe('a%2Fb/t%2Fu%40v%25/c%2Fd%40e@1%402%2F%C3%A9')
  })

  it('is asked for once by all who ask at the same time, and again by the next', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const backend = await backendOf(scratch, store, {})
    const { resolve } = createModelResolver({ backend, store })
    await Promise.all([resolve('a', null), resolve('a', null), resolve('a', 'null'), resolve('b', null)])
    expect(backend.asked.toSorted()).toEqual(['a of null', 'a of null', 'b of null'])
    await resolve('a', null)
    expect(backend.asked).toHaveLength(4)
  })

  it('is not found where its id or tenant is not Unicode', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const { resolve } = createModelResolver({ backend: await backendOf(scratch, store, {}), store })
    await expect(resolve('\ud800', null)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await expect(resolve('a', '\ud800')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })

  it('fails for all who ask, and is tried again by the next', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const registry = await openRegistry({ directory: scratch.path('store'), store })
    const { resolve } = createModelResolver({ backend: registry, store })
    const outcomes = await Promise.allSettled([resolve('digits', null), resolve('digits', null)])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await registry.add({ id: 'digits', source: await scratch.write('model.onnx', 'graph') })
    expect((await resolve('digits', null)).key).toBe('embedded//digits@1')
    await registry.close()
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
    const registry = await openRegistry({ directory: scratch.path('store'), store })
    await registry.add({ id: 'sums', source: scratch.path('sums') })
    const { info } = await createModelResolver({ backend: registry, store }).resolve('sums', null)
    await registry.close()

    const session = await InferenceSession.create(`${info.path}/model.onnx`)
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [3]) })
    expect(y?.data).toEqual(Float32Array.of(11, 22, 33))
    await session.release()
  })
})
