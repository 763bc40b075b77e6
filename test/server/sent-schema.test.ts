import { Type } from '@sinclair/typebox'
import { expect, it } from 'vitest'
import type { JsonSchema } from '../../runtime/build/manifest.ts'
import { schemaAsSent } from '../../runtime/server/sent-schema.ts'

const sent = (schema: object): JsonSchema => schemaAsSent(JSON.parse(JSON.stringify(schema)) as JsonSchema)

it('does not require what has a default, at any depth', () => {
  const inner = Type.Object({ a: Type.Number(), b: Type.Number({ default: 1 }) })
  expect(sent(inner)).toMatchObject({ required: ['a'], properties: { b: { default: 1 } } })
  expect(sent(Type.Object({ list: Type.Array(inner) }))).toMatchObject({
    required: ['list'],
    properties: { list: { items: { required: ['a'] } } },
  })
  expect(sent(Type.Union([inner, Type.Null()]))).toMatchObject({ anyOf: [{ required: ['a'] }, {}] })
})

it('leaves all else as it is', () => {
  const schema = Type.Object(
    {
      required: Type.Array(Type.String()),
      default: Type.Object({ properties: Type.Number() }),
      toString: Type.Literal('x'),
      choice: Type.Unsafe({ enum: [{ required: ['a'], properties: { a: { default: 1 } } }] }),
    },
    { additionalProperties: false, examples: [{ required: ['a'], properties: { a: { default: 1 } } }] },
  )
  expect(sent(schema)).toEqual(JSON.parse(JSON.stringify(schema)))
})
