import { beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { forgetRecords, recordsOf } from './fixtures/witness.ts'
import { offer, openScene, until } from './page-scene.ts'

beforeEach(forgetRecords)

describe('what is loaded', () => {
  it('is bounded by count: the least recently used leaves', async () => {
    await using scene = await openScene()
    const ask = async (constant: number): Promise<unknown> =>
      scene.value(scene.send({ token: offer(scene, constant), json: { x: 0 } }))
    for (const constant of [1, 2, 3, 1, 4]) expect(await ask(constant)).toMatchObject({ y: constant })
    await until(() => recordsOf('unload').length === 1)
    for (const constant of [1, 3, 4]) await ask(constant)
    expect(recordsOf('load')).toEqual(['plus-1', 'plus-2', 'plus-3', 'plus-4'])
    await ask(2)
    expect(recordsOf('load')).toHaveLength(5)
  })

  it('is bounded by bytes', async () => {
    const bytes = addConstantModel(1, 65_536).length
    await using scene = await openScene({ maxModelBytes: bytes * 2 + 1_000 })
    for (const id of ['a', 'b', 'c']) {
      scene.models.set(id, { id, bytes: addConstantModel(id.charCodeAt(0), 65_536) })
      await scene.value(scene.send({ token: id, json: { x: 0 } }))
    }
    await until(() => recordsOf('unload').length === 1)
    expect(recordsOf('load')).toEqual(['a', 'b', 'c'])
  })

  it('answers all that it has in hand before it leaves', async () => {
    await using scene = await openScene()
    const ids = Array.from({ length: 24 }, (_, index) =>
      scene.send({ token: offer(scene, index % 8), json: { x: 100 } }),
    )
    const answers = await Promise.all(ids.map((id) => scene.value(id)))
    expect(answers).toMatchObject(ids.map((_, index) => ({ y: 100 + (index % 8) })))
    await until(() => recordsOf('unload').length === recordsOf('load').length - 3)
  })
})
