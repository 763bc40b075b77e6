import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchRegistry } from '../../runtime/entry/registry-watch.ts'
import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { openRegistry, type Registry } from '../../runtime/model/registry.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { until } from '../support/server.ts'

function fail(error: unknown): void {
  throw error
}

describe('watchRegistry', () => {
  let directory: string
  let registry: Registry
  let source: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'isoplex-watch-'))
    source = join(directory, 'model.onnx')
    await writeFile(source, addConstantModel(1))
    registry = await openRegistry({ directory, store: await openArtifactStore({ directory }) })
  })
  afterEach(async () => {
    await registry.close()
    await rm(directory, { recursive: true })
  })

  it('tells of a model that was added, changed or removed', async () => {
    let changes = 0
    using _ = watchRegistry(directory, {
      onChange() {
        changes += 1
      },
      onError: fail,
    })
    for (const change of [
      () => registry.add({ actor: 'test', id: 'a', source }),
      () => registry.add({ actor: 'test', id: 'a', source, fields: { note: 1 } }),
      () => registry.remove({ actor: 'test', id: 'a', version: null }),
    ]) {
      const before = changes
      await change()
      await until(() => changes > before)
    }
  })

  it('tells of many changes in a row few times', async () => {
    let changes = 0
    using _ = watchRegistry(directory, {
      onChange() {
        changes += 1
      },
      onError: fail,
    })
    for (let note = 0; note < 20; note += 1)
      await registry.add({ actor: 'test', id: 'a', source, fields: { note } })
    await until(() => changes > 0)
    expect(changes).toBeLessThan(20)
  })

  it('is silent about other files, about readers, and once it is disposed of', async () => {
    await registry.add({ actor: 'test', id: 'a', source })
    let changes = 0
    const watch = watchRegistry(directory, {
      onChange() {
        changes += 1
      },
      onError: fail,
    })
    await registry.find({ modelId: 'a', tenant: null, accessToken: null, proven: true })
    await registry.list()
    await writeFile(join(directory, 'routes.d.ts'), '')
    watch[Symbol.dispose]()
    await registry.remove({ actor: 'test', id: 'a', version: null })
    // Another watch has heard of the removal by the time that the first one would have.
    let heard = false
    using _ = watchRegistry(directory, {
      onChange() {
        heard = true
      },
      onError: fail,
    })
    await registry.add({ actor: 'test', id: 'b', source })
    await until(() => heard)
    expect(changes).toBe(0)
  })

  it('says that it cannot watch', () => {
    const errors: unknown[] = []
    using _ = watchRegistry(join(directory, 'nowhere'), {
      onChange: () => undefined,
      onError: (error) => void errors.push(error),
    })
    expect(errors).toEqual([expect.objectContaining({ code: 'ENOENT' })])
  })
})
