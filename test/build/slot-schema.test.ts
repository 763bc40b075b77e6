import { describe, expect, it } from 'vitest'
import { renderFile, renderTensor } from '../../runtime/build/slot-schema.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { type TensorType, tensorTypes } from '../../runtime/engine/tensor.ts'

describe('a file', () => {
  it('names its media type where it takes exactly one', () => {
    expect(renderFile(file({ mediaTypes: ['image/png'] }))).toHaveProperty('contentMediaType', 'image/png')
    for (const mediaTypes of [undefined, ['image/*'], ['image/png', 'image/jpeg']]) {
      expect(renderFile(file(mediaTypes && { mediaTypes }))).not.toHaveProperty('contentMediaType')
    }
  })
})

describe('a tensor', () => {
  it.each(tensorTypes.map((type) => [type]))('of %s says what its values are in JSON', (type: TensorType) => {
    const { properties } = renderTensor(tensorOf(type, [2]))
    const { items } = (properties as { data: { items: Record<string, unknown> } }).data
    const words = JSON.stringify(items)
    if (type === 'string') expect(items).toEqual({ type: 'string' })
    else if (type === 'bool') expect(items).toEqual({ type: 'boolean' })
    else if (type.startsWith('float')) expect(words).toContain('"NaN"')
    else if (type.endsWith('64')) expect(words).toContain('"string"')
    else expect(items).toEqual({ type: 'integer' })
  })

  it('describes itself where its author has not', () => {
    const description = 'A tensor of int8 values in the shape [1, ?].'
    expect(renderTensor(tensorOf('int8', [1, null]))).toHaveProperty('description', description)
  })
})
