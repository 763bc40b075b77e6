import { describe, expect, it } from 'vitest'
import { composeModels, digestsOf, type ModelPart } from '../../runtime/model/composite.ts'

const partOf = (name: string, id: string, asked: string | null = null): ModelPart => ({
  function: name,
  asked,
  model: {
    key: `embedded//${id}@1~00`,
    digest: `digest of ${id}`,
    bytes: 10,
    info: { id, version: '1', path: `/store/${id}` },
  },
})

describe('several models as one', () => {
  it('are a key, a sum of bytes and the digests of all of them', () => {
    const model = composeModels([partOf('detect', 'a'), partOf('read', 'b')])
    expect(model).toMatchObject({
      key: 'embedded//a@1~00+embedded//b@1~00',
      bytes: 20,
      info: { id: 'a+b', version: '1+1', path: '' },
    })
    expect(digestsOf(model)).toEqual(['digest of a', 'digest of b'])
    expect(model.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('count once where one function asks for one model in two ways, and twice in two functions', () => {
    const once = composeModels([partOf('read', 'a'), partOf('read', 'a', 'a@1')])
    expect(once).toMatchObject({ bytes: 10, info: { id: 'a' } })
    expect(once.parts).toHaveLength(2)
    expect(composeModels([partOf('read', 'a'), partOf('detect', 'a')])).toMatchObject({ bytes: 20 })
  })

  it('have the digest of a single model where there is one', () => {
    expect(digestsOf(partOf('read', 'a').model)).toEqual(['digest of a'])
  })
})
