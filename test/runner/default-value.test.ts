import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { fillDefaults, hasDefault } from '../../runtime/runner/default-value.ts'

const Page = Type.Object({
  size: Type.Integer({ default: 10 }),
  tags: Type.Array(Type.String(), { default: ['all'] }),
  name: Type.Optional(Type.String()),
})

describe('hasDefault', () => {
  it.each<[string, TSchema, boolean]>([
    ['none', Type.Object({ a: Type.Array(Type.String()) }), false],
    ['one at the top', Type.String({ default: 'a' }), true],
    ['one that is null', Type.Null({ default: null }), true],
    ['one in a property', Page, true],
    ['one in items of an array', Type.Array(Page), true],
    ['one in an intersection', Type.Intersect([Type.Object({}), Page]), true],
  ])('sees %s', (_, schema, has) => {
    expect(hasDefault(schema)).toBe(has)
  })
})

describe('fillDefaults', () => {
  it('fills in what is missing and leaves what is there', () => {
    expect(fillDefaults(Page, {})).toEqual({ size: 10, tags: ['all'] })
    expect(fillDefaults(Page, { size: 1, tags: [], name: 'a', more: 1 })).toEqual({
      size: 1,
      tags: [],
      name: 'a',
      more: 1,
    })
  })

  it('fills in a value that is missing altogether, and then its parts', () => {
    const Query = Type.Object({ page: Type.Object(Page.properties, { default: {} }) })
    expect(fillDefaults(Query, {})).toEqual({ page: { size: 10, tags: ['all'] } })
    expect(fillDefaults(Query, undefined)).toBeUndefined()
    expect(fillDefaults(Type.Integer({ default: 5 }), undefined)).toBe(5)
  })

  it('does not add to an object that is there what its whole default has', () => {
    const schema = Type.Object({ a: Type.Optional(Type.Number()) }, { default: { a: 1 } })
    expect(fillDefaults(schema, {})).toEqual({})
  })

  it('fills in the items of arrays and every part of an intersection', () => {
    const schema = Type.Array(Type.Intersect([Page, Type.Object({ order: Type.Number({ default: 0 }) })]))
    expect(fillDefaults(schema, [{ tags: [] }, { size: 2 }])).toEqual([
      { size: 10, tags: [], order: 0 },
      { size: 2, tags: ['all'], order: 0 },
    ])
  })

  it('gives each value its own copy of a default', () => {
    const first = fillDefaults(Page, {}) as { tags: string[] }
    first.tags.push('changed')
    expect(fillDefaults(Page, {})).toEqual({ size: 10, tags: ['all'] })
  })

  it.each([null, 5, 'text', true])('leaves %j for the schema to refuse', (value) => {
    expect(fillDefaults(Page, value)).toBe(value)
    expect(fillDefaults(Type.Array(Page), value)).toBe(value)
  })

  it('leaves files and tensors alone', () => {
    const schema = Type.Object({ f: file(), t: tensorOf('float32', [1]), n: Type.Number({ default: 1 }) })
    const f = fileValue(new Uint8Array(1), 'image/png')
    const t = tensor('float32', Float32Array.of(1), [1])
    const filled = fillDefaults(schema, { f, t }) as Record<string, unknown>
    expect(filled.f).toBe(f)
    expect(filled.t).toBe(t)
    expect(filled.n).toBe(1)
  })

  it('takes no inherited property for one that is there', () => {
    const schema = Type.Object({
      constructor: Type.Number({ default: 1 }),
      toString: Type.Number({ default: 2 }),
    })
    expect(Object.entries(fillDefaults(schema, {}) as object)).toEqual([
      ['constructor', 1],
      ['toString', 2],
    ])
  })

  it('gives no object another prototype, be it by the value or by the schema', () => {
    const Options = Type.Object({ deep: Type.Boolean({ default: false }) }, { default: {} })
    const Named = Type.Object({ ['__proto__']: Type.Object({}, { default: { admin: true } }) })
    const value = fillDefaults(Options, JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(value).not.toHaveProperty('admin')
    const named = fillDefaults(Named, {}) as Record<string, unknown>
    expect(Object.getPrototypeOf(named)).toBe(Object.prototype)
    expect(Object.keys(named)).toEqual(['__proto__'])
  })
})
