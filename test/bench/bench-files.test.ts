import { InferenceSession } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { readModel, relabel } from './bench-files.ts'

describe('a model with another label', () => {
  it('is another artifact, and still loads', async () => {
    const model = await readModel('digits')
    const copies = [relabel(model, 'digits-1'), relabel(model, 'digits-2')]
    expect(new Set([model, ...copies].map((bytes) => Bun.hash(bytes))).size).toBe(3)
    for (const copy of copies) {
      const session = await InferenceSession.create(copy)
      expect([session.inputNames, session.outputNames]).toEqual([['image'], ['logits']])
      await session.release()
    }
  })

  it('has a label of at most 127 bytes', () => {
    expect(() => relabel(new Uint8Array(), 'a'.repeat(128))).toThrow(
      '"producer" must be of at most 127 bytes',
    )
  })
})
