import { describe, expect, it } from 'vitest'
import { SchemaComponents } from '../../runtime/server/schema-components.ts'

const tree = (description: string) => ({
  $ref: '#/$defs/a.input.Tree',
  $defs: { 'a.input.Tree': { description, items: { $ref: '#/$defs/a.input.Tree' } } },
})

describe('SchemaComponents', () => {
  it('leaves a schema without definitions as it is', () => {
    const schema = { type: 'object', properties: { $ref: { type: 'string' }, $defs: { const: '#/$defs/x' } } }
    const components = new SchemaComponents({})
    expect(components.adopt(schema)).toEqual(schema)
    expect(components.toJson()).toEqual({})
  })

  it('moves definitions, and the references to them, also among each other', () => {
    const components = new SchemaComponents({ Problem: { type: 'object' } })
    const schema = {
      type: 'array',
      items: { $ref: '#/$defs/A' },
      $defs: {
        A: { properties: { b: { $ref: '#/$defs/B' } } },
        B: { anyOf: [{ $ref: '#/$defs/A' }, { type: 'null' }] },
      },
    }
    expect(components.adopt(schema)).toEqual({ type: 'array', items: { $ref: '#/components/schemas/A' } })
    expect(components.toJson()).toEqual({
      Problem: { type: 'object' },
      A: { properties: { b: { $ref: '#/components/schemas/B' } } },
      B: { anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'null' }] },
    })
  })

  it('keeps definitions of one name apart', () => {
    const components = new SchemaComponents({})
    expect(components.adopt(tree('first'))).toEqual({ $ref: '#/components/schemas/a.input.Tree' })
    expect(components.adopt(tree('second'))).toEqual({ $ref: '#/components/schemas/a.input.Tree.2' })
    expect(components.toJson()).toEqual({
      'a.input.Tree': { description: 'first', items: { $ref: '#/components/schemas/a.input.Tree' } },
      'a.input.Tree.2': { description: 'second', items: { $ref: '#/components/schemas/a.input.Tree.2' } },
    })
  })

  it('leaves the schema that it is given as it is', () => {
    const schema = tree('first')
    new SchemaComponents({}).adopt(schema)
    expect(schema).toEqual(tree('first'))
  })

  it('leaves references that lead elsewhere alone', () => {
    const schema = { $ref: '#/$defs/missing', allOf: [{ $ref: 'https://example.com/schema' }] }
    expect(new SchemaComponents({}).adopt(schema)).toEqual(schema)
  })
})
