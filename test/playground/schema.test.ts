import { describe, expect, it } from 'vitest'
import {
  choicesOf,
  propertiesOf,
  requiredOf,
  resolveSchema,
  variantsOf,
} from '../../runtime/playground/schema.ts'

const document = {
  components: {
    schemas: {
      Tree: { type: 'object', properties: { next: { $ref: '#/components/schemas/Tree' } } },
      Alias: { $ref: '#/components/schemas/Tree' },
      Round: { $ref: '#/components/schemas/Round' },
      'a/b~c': { type: 'null' },
    },
  },
}

describe('resolveSchema', () => {
  it('follows references of references, and keeps what stands beside them', () => {
    const resolved = resolveSchema({ $ref: '#/components/schemas/Alias', description: 'A tree' }, document)
    expect(resolved).toMatchObject({ type: 'object', description: 'A tree' })
    expect(propertiesOf(resolved).next).toEqual({ $ref: '#/components/schemas/Tree' })
  })

  it('reads the escapes of JSON pointers', () => {
    expect(resolveSchema({ $ref: '#/components/schemas/a~1b~0c' }, document)).toEqual({ type: 'null' })
  })

  it.each([
    ['leads nowhere', '#/components/schemas/Gone'],
    ['leads to itself', '#/components/schemas/Round'],
    ['leads to another document', 'https://example.com/schema.json'],
    ['names what every object has', '#/constructor'],
  ])('takes anything where a reference %s', (_, $ref) => {
    expect(resolveSchema({ $ref }, document)).toEqual({})
  })

  it('takes anything where a schema is true', () => {
    expect(resolveSchema(true, document)).toEqual({})
  })

  it('merges the parts of an intersection', () => {
    const merged = resolveSchema(
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { type: 'object', properties: { b: { type: 'number' } }, required: ['b'] },
        ],
      },
      document,
    )
    expect(Object.keys(propertiesOf(merged))).toEqual(['a', 'b'])
    expect(requiredOf(merged)).toEqual(['a', 'b'])
  })
})

describe('choicesOf', () => {
  it.each([
    ['an enum', { enum: ['a', 1, null] }, ['a', 1, null]],
    ['a constant', { const: false }, [false]],
    ['alternatives of constants', { anyOf: [{ const: 'a' }, { enum: ['b', 'c'] }] }, ['a', 'b', 'c']],
    ['alternatives of which one is open', { anyOf: [{ const: 'a' }, { type: 'number' }] }, null],
    ['anything else', { type: 'string' }, null],
  ])('of %s', (_, schema, choices) => {
    expect(choicesOf(schema)).toEqual(choices)
  })
})

it('tells alternatives from none', () => {
  expect(variantsOf({ oneOf: [{ type: 'string' }] })).toEqual([{ type: 'string' }])
  expect(variantsOf({ anyOf: [] })).toBeNull()
  expect(variantsOf({})).toBeNull()
})
