import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { valuesByName } from '../../runtime/runner/text-value.ts'

function read(schema: Parameters<typeof Type.Optional>[0], ...texts: string[]): unknown {
  return valuesByName(
    Type.Object({ x: schema }),
    texts.map((text) => ['x', text]),
  ).x
}

describe('valuesByName', () => {
  it.each([
    ['a number', Type.Number(), '1.5', 1.5],
    ['a number in the short form', Type.Integer(), '1e3', 1000],
    ['a fraction where a whole number is wanted', Type.Integer(), '1.7', 1.7],
    ['another base', Type.Integer(), '0x10', '0x10'],
    ['an infinity', Type.Number(), 'Infinity', 'Infinity'],
    ['nothing where a number is wanted', Type.Number(), '', ''],
    ['a truth', Type.Boolean(), 'true', true],
    ['a word for it', Type.Boolean(), 'yes', 'yes'],
    ['null', Type.Null(), 'null', null],
    ['a text', Type.String(), '5', '5'],
    ['a text that does not fit', Type.String({ minLength: 5 }), '12', '12'],
    ['a text of a list', Type.Union([Type.Literal('1'), Type.Literal('on')]), '1', '1'],
    ['a number of a list', Type.Union([Type.Literal(1), Type.Literal('on')]), '1', 1],
    ['a text where a number may stand too', Type.Union([Type.Number(), Type.String()]), '1', '1'],
    ['a truth or nothing', Type.Union([Type.Boolean(), Type.Null()]), 'null', null],
    ['an object', Type.Object({ a: Type.Number() }), '{"a":1}', { a: 1 }],
    ['anything', Type.Any(), '1', '1'],
  ])('reads %s', (_, schema, text, value) => {
    expect(read(schema, text)).toEqual(value)
  })

  it('leaves JSON that is nested too deeply for the schema to refuse', () => {
    const nest = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(read(Type.Object({}), nest)).toBe(nest)
  })

  it('makes a list of several, and of one where the schema is an array', () => {
    expect(read(Type.Array(Type.Number()), '1', '2')).toEqual([1, 2])
    expect(read(Type.Array(Type.Number()), '1')).toEqual([1])
    expect(read(Type.Number(), '1', '2')).toEqual([1, 2])
  })

  it('leaves what the schema does not name as text', () => {
    expect(
      valuesByName(Type.Object({}), [
        ['x', '1'],
        ['x', '2'],
        ['y', 'true'],
      ]),
    ).toEqual({ x: ['1', '2'], y: 'true' })
  })

  it('leaves what is no text as it is', () => {
    const value = { a: 1 }
    expect(valuesByName(Type.Object({ x: Type.Number() }), [['x', value]]).x).toBe(value)
  })

  it('makes a property of its own of every name, and takes no schema from Object.prototype', () => {
    const values = valuesByName(Type.Object({}), [
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
    expect(Object.entries(values)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
  })

  it('reads many names in a moment', () => {
    const entries = Array.from({ length: 200_000 }, (_, index): [string, string] => [`n${index}`, ''])
    const started = performance.now()
    expect(Object.keys(valuesByName(Type.Object({}), entries))).toHaveLength(200_000)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
