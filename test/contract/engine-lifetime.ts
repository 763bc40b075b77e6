import { expect, it } from 'vitest'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { addedTo, type ModelWorkshop } from '../support/model-workshop.ts'
import { addConstantModel, joinModel, slowModel } from '../support/onnx-models.ts'

/** Calls that overlap. */
export function describeOverlap(workshop: ModelWorkshop): void {
  it('gives overlapping runs each their own answer', async () => {
    const session = await workshop.load(addConstantModel(100))
    const inputs = Array.from({ length: 16 }, (_, index) => index)
    expect(await Promise.all(inputs.map((input) => addedTo(session, input)))).toEqual(
      inputs.map((input) => input + 100),
    )
  })

  it('loads, runs and unloads several models at once', { timeout: 60_000 }, async () => {
    const constants = [1, 2, 3, 4]
    const answers = constants.map(async (constant) => {
      const session = await workshop.load(addConstantModel(constant))
      const answer = await addedTo(session, constant)
      await session.dispose()
      return answer
    })
    expect(await Promise.all(answers)).toEqual([2, 4, 6, 8])
  })

  it('goes on with the others where one of overlapping runs fails', async () => {
    const session = await workshop.load(joinModel())
    const rows = (count: number, width: number): Tensor =>
      tensor('float32', new Float32Array(count * width), [count, width])
    const [bad, good] = await Promise.allSettled([
      session.run({ left: rows(3, 1), right: rows(2, 2) }),
      session.run({ left: rows(2, 1), right: rows(2, 2) }),
    ])
    expect([bad.status, good.status]).toEqual(['rejected', 'fulfilled'])
  })
}

/** The end of a session. */
export function describeDisposal(workshop: ModelWorkshop): void {
  it('may be disposed of twice, and does not run afterwards', async () => {
    const session = await workshop.load(addConstantModel(1))
    await Promise.all([session.dispose(), session.dispose()])
    await session.dispose()
    await expect(addedTo(session, 1)).rejects.toThrow(TypeError)
  })

  it('finishes the runs in flight before it goes', { timeout: 60_000 }, async () => {
    const width = 64
    const session = await workshop.load(slowModel({ layers: 40, width }))
    const x = Float32Array.from({ length: width }, (_, column) => column)
    const runs = [1, 2, 3].map(() => session.run({ x: tensor('float32', x, [1, width]) }))
    await session.dispose()
    for (const { y } of await Promise.all(runs)) expect(y?.at(41)).toBe(1)
  })

  it('leaves other sessions of the same model alone', async () => {
    const [first, second] = [
      await workshop.load(addConstantModel(1)),
      await workshop.load(addConstantModel(1)),
    ]
    await first.dispose()
    expect(await addedTo(second, 1)).toBe(2)
  })
}
