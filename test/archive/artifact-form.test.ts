import { expect, it } from 'vitest'
import { isArchive } from '../../runtime/archive/artifact-form.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { addConstantModel } from '../support/onnx-models.ts'

it('tells archives from models by how they begin', () => {
  expect(isArchive(buildArchive([]).subarray(0, 2))).toBe(true)
  expect(isArchive(buildArchive([{ name: 'a', content: 'a' }]))).toBe(true)
  expect(isArchive(addConstantModel(1))).toBe(false)
  expect(isArchive(new Uint8Array())).toBe(false)
  expect(isArchive(Uint8Array.of(0x50))).toBe(false)
})
