import { describe, expect, it } from 'vitest'
import { findIssues } from '../../runtime/playground/fit.ts'
import { addedValue, examplesOf, startingValue } from '../../runtime/playground/starting-value.ts'

describe('startingValue', () => {
  it.each([
    ['the first example', { type: 'number', examples: [3, 4], default: 1 }, 3],
    ['a single example', { type: 'number', example: 5 }, 5],
    ['a default', { type: 'number', default: 0 }, 0],
    ['the only choice', { const: 'a' }, 'a'],
    ['no choice where there are several', { enum: ['a', 'b'] }, undefined],
    ['nothing where nobody can know', { type: 'string' }, undefined],
    ['no for what is yes or no', { type: 'boolean' }, false],
    ['no items where none must be there', { type: 'array', items: { type: 'number', default: 1 } }, []],
    ['as many items as must be there', { type: 'array', items: { default: 1 }, minItems: 2 }, [1, 1]],
    ['nothing for hundreds of items', { type: 'array', items: { default: 1 }, minItems: 784 }, undefined],
    [
      'the places of a tuple',
      { type: 'array', prefixItems: [{ default: 1 }, { type: 'string' }] },
      [1, null],
    ],
    [
      'the first variant',
      { anyOf: [{ type: 'object', properties: { a: { default: 2 } } }, { type: 'string' }] },
      { a: 2 },
    ],
    [
      'zeros of a tensor',
      { 'x-tensor': { type: 'float32', dims: ['n', 2] } },
      { dims: [1, 2], data: [0, 0] },
    ],
    ['words of a tensor', { 'x-tensor': { type: 'string', dims: [1] } }, { dims: [1], data: [''] }],
    ['nothing for a tensor without end', { 'x-tensor': { type: 'float32', dims: [1e6, 1e6] } }, undefined],
  ])('takes %s', (_, schema, value) => {
    expect(startingValue(schema, {})).toEqual(value)
  })

  it('fills in members that are required or have a default, and leaves the others out', () => {
    const schema = {
      type: 'object',
      required: ['a', 'b'],
      properties: {
        a: { type: 'object', properties: { x: { default: 1 } } },
        b: { type: 'string' },
        c: { default: true },
        d: { type: 'object', properties: {} },
      },
    }
    expect(startingValue(schema, {})).toEqual({ a: { x: 1 }, c: true })
  })

  it('ends where a schema holds itself', () => {
    const Tree = { type: 'object', required: ['next'], properties: { next: { $ref: '#/$defs/Tree' } } }
    expect(JSON.stringify(startingValue(Tree, { $defs: { Tree } })).length).toBeLessThan(200)
  })
})

describe('addedValue', () => {
  it.each([
    [{ type: 'string' }],
    [{ type: 'integer', minimum: 3 }],
    [{ type: 'boolean' }],
    [{ type: 'array', items: { type: 'number' }, minItems: 2 }],
    [{ type: 'object', properties: {} }],
    [{}],
  ])('is a value that %j takes', (schema) => {
    expect(findIssues(schema, addedValue(schema, {}), {})).toEqual([])
  })
})

it('gives all examples of a schema', () => {
  expect(examplesOf({ examples: [1, 2] })).toEqual([1, 2])
  expect(examplesOf({ example: null })).toEqual([null])
  expect(examplesOf({})).toEqual([])
})
