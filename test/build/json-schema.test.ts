import { FormatRegistry, Kind, type TSchema, Type, TypeRegistry } from '@sinclair/typebox'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { toJsonSchema } from '../../runtime/build/json-schema.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'

function render(schema: TSchema) {
  return toJsonSchema(schema, { option: 'input', prefix: 'digits.input' })
}

describe('toJsonSchema renders', () => {
  const node = Type.Recursive((self) => Type.Object({ children: Type.Array(self) }))

  it.each<[title: string, schema: TSchema, rendered: unknown]>([
    ['anything', Type.Any(), {}],
    ['nothing', Type.Never(), { not: {} }],
    [
      'constraints and annotations as they are',
      Type.String({ minLength: 1, description: 'A name.', examples: ['ada'], format: 'email' }),
      { type: 'string', minLength: 1, description: 'A name.', examples: ['ada'], format: 'email' },
    ],
    [
      'optional members',
      Type.Object({ a: Type.Optional(Type.Integer()), b: Type.Null() }, { additionalProperties: false }),
      {
        type: 'object',
        required: ['b'],
        properties: { a: { type: 'integer' }, b: { type: 'null' } },
        additionalProperties: false,
      },
    ],
    [
      'unions and literals',
      Type.Union([Type.Literal('a'), Type.Literal(2), Type.Literal(true)]),
      {
        anyOf: [
          { const: 'a', type: 'string' },
          { const: 2, type: 'number' },
          { const: true, type: 'boolean' },
        ],
      },
    ],
    [
      'tuples as the draft of 2020 has them',
      Type.Tuple([Type.String(), Type.Number()]),
      {
        type: 'array',
        prefixItems: [{ type: 'string' }, { type: 'number' }],
        items: false,
        minItems: 2,
        maxItems: 2,
      },
    ],
    [
      'an empty tuple',
      Type.Tuple([]),
      { type: 'array', prefixItems: [], items: false, minItems: 0, maxItems: 0 },
    ],
    [
      'records',
      Type.Record(Type.String(), Type.Number()),
      { type: 'object', patternProperties: { '^(.*)$': { type: 'number' } } },
    ],
    [
      'an id that nothing refers to as none',
      Type.Object({}, { $id: 'Lone' }),
      { type: 'object', properties: {} },
    ],
    [
      'a property called like a prototype',
      Type.Object({ constructor: Type.Boolean() }),
      {
        type: 'object',
        required: ['constructor'],
        properties: { constructor: { type: 'boolean' } },
      },
    ],
    [
      'a recursive schema as a definition',
      node,
      {
        $ref: '#/$defs/digits.input.Recursive',
        $defs: {
          'digits.input.Recursive': {
            type: 'object',
            required: ['children'],
            properties: { children: { type: 'array', items: { $ref: '#/$defs/digits.input.Recursive' } } },
          },
        },
      },
    ],
    [
      'a recursive schema that stands twice as one definition',
      Type.Object({ left: node, right: Type.Optional(node) }),
      {
        type: 'object',
        required: ['left'],
        properties: {
          left: { $ref: '#/$defs/digits.input.Recursive' },
          right: { $ref: '#/$defs/digits.input.Recursive' },
        },
        $defs: { 'digits.input.Recursive': expect.objectContaining({ type: 'object' }) },
      },
    ],
    [
      'two recursive schemas of one id as two definitions',
      Type.Object({
        a: Type.Recursive((self) => Type.Array(self), { $id: 'Tree' }),
        b: Type.Recursive((self) => Type.Object({ next: Type.Union([self, Type.Null()]) }), { $id: 'Tree' }),
      }),
      {
        type: 'object',
        required: ['a', 'b'],
        properties: { a: { $ref: '#/$defs/digits.input.Tree' }, b: { $ref: '#/$defs/digits.input.Tree2' } },
        $defs: {
          'digits.input.Tree': { type: 'array', items: { $ref: '#/$defs/digits.input.Tree' } },
          'digits.input.Tree2': {
            type: 'object',
            required: ['next'],
            properties: { next: { anyOf: [{ $ref: '#/$defs/digits.input.Tree2' }, { type: 'null' }] } },
          },
        },
      },
    ],
    [
      'recursion within recursion',
      Type.Recursive(
        (outer) =>
          Type.Object({ inner: Type.Recursive((inner) => Type.Union([inner, outer]), { $id: 'Inner' }) }),
        { $id: 'Outer' },
      ),
      {
        $ref: '#/$defs/digits.input.Outer',
        $defs: {
          'digits.input.Inner': {
            anyOf: [{ $ref: '#/$defs/digits.input.Inner' }, { $ref: '#/$defs/digits.input.Outer' }],
          },
          'digits.input.Outer': {
            type: 'object',
            required: ['inner'],
            properties: { inner: { $ref: '#/$defs/digits.input.Inner' } },
          },
        },
      },
    ],
    [
      'a module with what it needs of it, and no more',
      Type.Module({
        Person: Type.Object({ friends: Type.Array(Type.Ref('Person')), pet: Type.Ref('Pet') }),
        Pet: Type.Object({ owner: Type.Optional(Type.Ref('Person')) }),
        Stranger: Type.Date(),
      }).Import('Person'),
      {
        $ref: '#/$defs/digits.input.Person',
        $defs: {
          'digits.input.Person': {
            type: 'object',
            required: ['friends', 'pet'],
            properties: {
              friends: { type: 'array', items: { $ref: '#/$defs/digits.input.Person' } },
              pet: { $ref: '#/$defs/digits.input.Pet' },
            },
          },
          'digits.input.Pet': {
            type: 'object',
            properties: { owner: { $ref: '#/$defs/digits.input.Person' } },
          },
        },
      },
    ],
  ])('%s', (_, schema, rendered) => {
    expect(render(schema)).toEqual(rendered)
    expect(JSON.parse(JSON.stringify(render(schema)))).toEqual(render(schema))
  })

  it('recursive schemas alike in every process, however many TypeBox has counted before', () => {
    const again = Type.Recursive((self) => Type.Object({ children: Type.Array(self) }))
    expect(again.$id).not.toBe(node.$id)
    expect(render(again)).toEqual(render(node))
  })

  it('data that looks like a reference as it is', () => {
    const schema = Type.Object({}, { default: { $ref: 'T0', $id: 'x' }, examples: [{ $ref: 'T0' }] })
    expect(render(schema)).toMatchObject({ default: { $ref: 'T0', $id: 'x' }, examples: [{ $ref: 'T0' }] })
  })

  it('files and tensors by their JSON form', () => {
    const schema = Type.Object({
      picture: file({ mediaTypes: ['image/png'], maxBytes: 100, description: 'A picture.' }),
      pictures: Type.Array(file()),
      scores: tensorOf('float32', ['batch', 3, null]),
    })
    expect(render(schema).properties).toMatchObject({
      picture: {
        type: 'string',
        contentEncoding: 'base64',
        contentMediaType: 'image/png',
        description: 'A picture.',
        'x-file': { mediaTypes: ['image/png'], maxBytes: 100 },
      },
      pictures: { type: 'array', items: { type: 'string', 'x-file': { mediaTypes: ['*/*'] } } },
      scores: {
        type: 'object',
        required: ['dims', 'data'],
        properties: { dims: { minItems: 3, maxItems: 3 } },
        'x-tensor': { type: 'float32', dims: ['batch', 3, null] },
      },
    })
  })
})

describe('toJsonSchema refuses', () => {
  afterEach(() => {
    FormatRegistry.Delete('postcode')
    TypeRegistry.Delete('Colour')
  })

  it.each<[what: string, schema: TSchema]>([
    ['Type.BigInt()', Type.BigInt()],
    ['Type.Date()', Type.Date()],
    ['Type.Uint8Array()', Type.Uint8Array()],
    ['Type.RegExp()', Type.RegExp(/a/i)],
    ['Type.Undefined()', Type.Undefined()],
    ['Type.Void()', Type.Void()],
    ['the kind Symbol', Type.Symbol()],
    ['the kind Function', Type.Function([], Type.String())],
    ['the kind Constructor', Type.Constructor([], Type.String())],
    ['the kind Promise', Type.Promise(Type.String())],
    ['the kind Iterator', Type.Iterator(Type.String())],
    ['the kind AsyncIterator', Type.AsyncIterator(Type.String())],
    ['the kind Unsafe', Type.Unsafe<string>({ type: 'string' })],
    ['the kind Colour', Type.Unsafe<string>({ [Kind]: 'Colour', type: 'string' })],
    ['a Type.Transform()', Type.Transform(Type.String()).Decode(Number).Encode(String)],
    ['the format "postcode"', Type.String({ format: 'postcode' })],
    ['the format "binary"', Type.String({ format: 'binary' })],
    ['a reference to "Elsewhere"', Type.Ref('Elsewhere')],
    ['no TypeBox schema', { type: 'string', [Kind]: undefined } as unknown as TSchema],
  ])('%s, and names the place', (what, schema) => {
    const nested = Type.Object({ list: Type.Array(Type.Union([Type.Null(), schema])) })
    expect(() => render(schema)).toThrow(`The schema "input" has ${what}, `)
    expect(() => render(nested)).toThrow(`The schema "input" has ${what} at /properties/list/items/anyOf/1, `)
  })

  it.each<[what: string, keyword: string, schema: TSchema]>([
    ['the value Infinity', 'maximum', Type.Number({ maximum: Number.POSITIVE_INFINITY })],
    ['the value -Infinity', 'minimum', Type.Number({ minimum: Number.NEGATIVE_INFINITY })],
    ['the value NaN', 'default', Type.Number({ default: Number.NaN })],
    ['the value 1', 'const', Type.Literal(1n as unknown as number)],
    ['a Date', 'default', Type.String({ default: new Date(0) })],
    ['a Map', 'examples/0', Type.String({ examples: [new Map()] })],
    ['a function', 'title', Type.String({ title: (() => 'x') as unknown as string })],
  ])('%s in the keyword %s', (what, keyword, schema) => {
    const nested = Type.Object({ 'a/b': schema })
    expect(() => render(nested)).toThrow(
      `has ${what} at /properties/a~1b/${keyword}, which JSON cannot carry.`,
    )
  })

  it('what stands at any depth, and points exactly there', () => {
    interface Step {
      wrap(schema: TSchema): TSchema
      readonly pointer: string
    }
    const property = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__')
    const step: fc.Arbitrary<Step> = fc.oneof(
      property.map((name) => ({
        wrap: (schema: TSchema) => Type.Object({ [name]: schema }),
        pointer: `/properties/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      })),
      fc.constant({ wrap: (schema: TSchema) => Type.Array(schema), pointer: '/items' }),
      fc.constant({ wrap: (schema: TSchema) => Type.Tuple([Type.Null(), schema]), pointer: '/items/1' }),
      fc.constant({ wrap: (schema: TSchema) => Type.Not(schema), pointer: '/not' }),
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const schema = (core: TSchema) => steps.reduceRight((inner, { wrap }) => wrap(inner), core)
        const pointer = steps.map((each) => each.pointer).join('')
        expect(() => render(schema(Type.Symbol()))).toThrow(`the kind Symbol at ${pointer}, `)
        const rendered = render(schema(Type.String()))
        expect(JSON.parse(JSON.stringify(rendered))).toEqual(rendered)
      }),
    )
  })

  it('neither formats nor kinds that the project has registered', () => {
    FormatRegistry.Set('postcode', () => true)
    TypeRegistry.Set('Colour', () => true)
    const colour = Type.Unsafe<string>({ [Kind]: 'Colour', type: 'string', enum: ['red'] })
    expect(render(Type.Object({ code: Type.String({ format: 'postcode' }), colour }))).toMatchObject({
      properties: { code: { format: 'postcode' }, colour: { type: 'string', enum: ['red'] } },
    })
  })
})
