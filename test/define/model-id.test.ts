import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { createChecker } from '../../runtime/define/check.ts'
import { modelId, modelIdsIn, namedModelId } from '../../runtime/define/model-id.ts'

describe('modelId', () => {
  it('is a text of at most 256 characters, with a default where there is one', () => {
    const { issues } = createChecker(modelId({ default: 'digits' }))
    expect(issues('digits@3')).toEqual([])
    expect(issues('x'.repeat(256))).toEqual([])
    expect(issues('x'.repeat(257))).toHaveLength(1)
    expect(issues('')).toHaveLength(1)
    expect(issues(5)).toHaveLength(1)
    expect(modelId({ default: 'digits' }).default).toBe('digits')
  })
})

describe('modelIdsIn', () => {
  it.each([
    ['a member', Type.Object({ teacher: modelId() }), { teacher: 'a' }, ['a']],
    ['an optional member', Type.Object({ teacher: Type.Optional(modelId()) }), { teacher: 'a' }, ['a']],
    ['a member that is not there', Type.Object({ teacher: Type.Optional(modelId()) }), {}, []],
    ['a list', Type.Object({ all: Type.Array(modelId()) }), { all: ['a', 'b', 'a'] }, ['a', 'b']],
    ['a tuple', Type.Object({ pair: Type.Tuple([Type.Number(), modelId()]) }), { pair: [1, 'a'] }, ['a']],
    ['a record', Type.Object({ by: Type.Record(Type.String(), modelId()) }), { by: { x: 'a' } }, ['a']],
    ['a union', Type.Object({ a: Type.Union([Type.Null(), modelId()]) }), { a: 'a' }, ['a']],
    [
      'an intersection',
      Type.Intersect([Type.Object({ a: modelId() }), Type.Object({ b: Type.String() })]),
      { a: 'a', b: 'b' },
      ['a'],
    ],
    ['a list at the top', Type.Array(Type.Object({ a: modelId() })), [{ a: 'a' }, { a: 'b' }], ['a', 'b']],
  ])('finds ids in %s', (_, schema, value, ids) => {
    expect(modelIdsIn(schema, value)).toEqual(ids)
  })

  it('takes texts and numbers by the names of Synapse for ids, whatever the schema says', () => {
    const params = { model: 34, model_id: 'a', modelId: 'b', other: 'c' }
    expect(modelIdsIn(Type.Any(), params)).toEqual(['b', 'a', '34'])
    expect(modelIdsIn(Type.Any(), { model: '', model_id: null, modelId: { id: 'a' } })).toEqual([])
  })

  it('looks at members of the value alone', () => {
    const schema = Type.Object({ toString: Type.Optional(modelId()), constructor: Type.Optional(modelId()) })
    expect(modelIdsIn(schema, {})).toEqual([])
    expect(modelIdsIn(Type.Any(), Object.create({ model: 'a' }))).toEqual([])
  })
})

describe('namedModelId', () => {
  it('is that by modelId, else model_id, else model', () => {
    expect(namedModelId({ modelId: 'a', model_id: 'b', model: 'c' })).toBe('a')
    expect(namedModelId({ model_id: 'b', model: 'c' })).toBe('b')
    expect(namedModelId({ model: 34 })).toBe('34')
  })

  it.each([null, undefined, 'digits', { model: true }, {}])('is none in %j', (params) => {
    expect(namedModelId(params)).toBeNull()
  })
})
