import { type TSchema, Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { acceptedMediaTypes, findSlots, rawSlot, replaceInSlot } from '../../runtime/define/slot.ts'

const picture = file({ mediaTypes: ['image/png', 'image/*'] })
const scores = tensorOf('float32', [3])

describe('findSlots', () => {
  it('finds none where there is none', () => {
    expect(findSlots(Type.Object({ a: Type.Array(Type.Union([Type.String(), Type.Null()])) }))).toEqual([])
  })

  it('finds the schema itself', () => {
    expect(findSlots(picture)).toEqual([{ path: [], schema: picture }])
  })

  it('finds those in objects and arrays, in the order of the properties', () => {
    const schema = Type.Object({
      one: picture,
      many: Type.Array(Type.Object({ scores: Type.Optional(scores), name: Type.String() })),
      deep: Type.Object({ rows: Type.Array(Type.Array(picture)) }),
    })
    expect(findSlots(schema).map(({ path }) => path.join('/'))).toEqual([
      'one',
      'many/*/scores',
      'deep/rows/*/*',
    ])
  })

  it.each<[string, TSchema, RegExp]>([
    ['a union', Type.Object({ a: Type.Union([picture, Type.Null()]) }), /under "anyOf" at \/a\.$/],
    [
      'an intersection',
      Type.Intersect([Type.Object({ a: picture }), Type.Object({})]),
      /under "allOf" at \/\.$/,
    ],
    ['a tuple', Type.Array(Type.Tuple([scores])), /under "items" at \/\*\.$/],
    ['a record', Type.Record(Type.String(), picture), /under "patternProperties"/],
    ['a negation', Type.Not(picture), /under "not"/],
    ['further properties', Type.Object({}, { additionalProperties: picture }), /"additionalProperties"/],
    ['what an array must contain', Type.Array(Type.Any(), { contains: picture }), /under "contains"/],
    ['deep in a union', Type.Union([Type.Object({ b: Type.Array(picture) }), Type.Null()]), /under "anyOf"/],
  ])('refuses one in %s', (_, schema, message) => {
    expect(() => findSlots(schema)).toThrow(TypeError)
    expect(() => findSlots(schema)).toThrow(message)
  })

  it('refuses one in a recursive schema, whose depth no path can tell', () => {
    const Tree = Type.Recursive((This) => Type.Object({ picture, children: Type.Array(This) }))
    expect(() => findSlots(Type.Object({ tree: Tree }))).toThrow(/in a recursive schema at \/tree\.$/)
  })

  it('takes a schema with an id that nothing refers to, and a recursive one without slots', () => {
    expect(findSlots(Type.Object({ picture }, { $id: 'Upload' }))).toHaveLength(1)
    expect(findSlots(Type.Recursive((This) => Type.Object({ children: Type.Array(This) })))).toEqual([])
  })
})

describe('rawSlot', () => {
  it.each<[string, TSchema, string | null]>([
    ['a file alone', picture, ''],
    ['a tensor alone', scores, ''],
    ['the only property', Type.Object({ picture }), 'picture'],
    ['an optional only property', Type.Object({ picture: Type.Optional(picture) }), 'picture'],
    ['one beside optional ones', Type.Object({ picture, name: Type.Optional(Type.String()) }), 'picture'],
    ['one beside a compulsory one', Type.Object({ picture, name: Type.String() }), null],
    ['two', Type.Object({ picture, scores: Type.Optional(scores) }), null],
    ['one deeper down', Type.Object({ a: Type.Object({ picture }) }), null],
    ['items of an array', Type.Array(picture), null],
    ['an array of them', Type.Object({ pictures: Type.Array(picture) }), null],
    ['none', Type.Object({ name: Type.String() }), null],
  ])('of %s', (_, schema, path) => {
    expect(rawSlot(schema)?.path.join('/') ?? null).toBe(path)
  })
})

describe('acceptedMediaTypes', () => {
  it.each<[string, TSchema, readonly string[]]>([
    ['plain values', Type.Object({ a: Type.String() }), ['application/json']],
    ['a file alone', picture, ['application/json', 'image/png', 'image/*']],
    ['any file alone', file(), ['application/json', '*/*']],
    ['a tensor alone', scores, ['application/json', 'application/octet-stream']],
    [
      'a file in an object',
      Type.Object({ picture }),
      ['application/json', 'multipart/form-data', 'image/png', 'image/*'],
    ],
    [
      'a file beside compulsory values',
      Type.Object({ picture, name: Type.String() }),
      ['application/json', 'multipart/form-data'],
    ],
    [
      'a tensor in an object',
      Type.Object({ scores }),
      ['application/json', 'multipart/form-data', 'application/octet-stream'],
    ],
    ['files in an array', Type.Array(picture), ['application/json', 'multipart/form-data']],
  ])('of %s', (_, schema, accepted) => {
    expect(acceptedMediaTypes(schema)).toEqual(accepted)
  })
})

describe('replaceInSlot', () => {
  const mark = (value: unknown): unknown => ({ was: value })

  it('replaces the value itself where the path is empty', () => {
    expect(replaceInSlot('a', [], mark)).toEqual({ was: 'a' })
  })

  it('replaces in place, and tells the way with the positions in arrays', () => {
    const root = { many: [{ file: 'a' }, { other: 1 }, { file: 'b' }] }
    const walked: string[] = []
    const result = replaceInSlot(root, ['many', '*', 'file'], (value, way) => {
      walked.push(way.join('/'))
      return `${value}!`
    })
    expect(result).toBe(root)
    expect(root).toEqual({ many: [{ file: 'a!' }, { other: 1 }, { file: 'b!' }] })
    expect(walked).toEqual(['many/0/file', 'many/2/file'])
  })

  it.each([
    ['null on the way', { a: null }],
    ['a text on the way', { a: 'text' }],
    ['an array on the way', { a: [1] }],
    ['nothing on the way', {}],
    ['a number at the top', 5],
    ['nothing at the top', undefined],
  ])('leaves %s alone', (_, root) => {
    const before = structuredClone(root)
    expect(replaceInSlot(root, ['a', 'b'], mark)).toEqual(before)
  })

  it('leaves an object alone where the path says items', () => {
    expect(replaceInSlot({ 0: 'a', length: 1 }, ['*'], mark)).toEqual({ 0: 'a', length: 1 })
  })

  it('takes a star for a name in an object that has one', () => {
    expect(replaceInSlot({ '*': 'a' }, ['*'], mark)).toEqual({ '*': { was: 'a' } })
  })

  it('touches no name that is only inherited', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const root = {}
      replaceInSlot(root, [name], mark)
      expect(Object.getOwnPropertyNames(root)).toEqual([])
      expect(Object.getPrototypeOf(root)).toBe(Object.prototype)
    }
  })

  it('replaces an own __proto__ without giving the object another prototype', () => {
    const root = JSON.parse('{"__proto__":"a","constructor":"b"}')
    replaceInSlot(root, ['__proto__'], mark)
    replaceInSlot(root, ['constructor'], mark)
    expect(Object.getPrototypeOf(root)).toBe(Object.prototype)
    expect(JSON.stringify(root)).toBe('{"__proto__":{"was":"a"},"constructor":{"was":"b"}}')
  })

  it('never touches what lies beside its path, whatever the value is', () => {
    const name = fc.constantFrom('a', 'b', '*', '__proto__', 'constructor', '0')
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.array(name, { maxLength: 4 }), (value, path) => {
        const root = JSON.parse(JSON.stringify(value))
        const same = replaceInSlot(root, path, (held) => held)
        expect(same).toEqual(root)
        expect(JSON.stringify(same)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('replaces each of many items once, and quickly', () => {
    const root = new Array<number>(1_000_000).fill(0)
    const started = performance.now()
    replaceInSlot(root, ['*'], (value) => (value as number) + 1)
    expect(root.every((value) => value === 1)).toBe(true)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
