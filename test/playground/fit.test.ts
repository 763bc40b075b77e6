import { describe, expect, it } from 'vitest'
import { findIssues } from '../../runtime/playground/fit.ts'

/** What does not fit, as `place message`. */
function issuesOf(schema: object, value: unknown, document = {}): string[] {
  return findIssues(schema as Record<string, unknown>, value, document).map(
    ({ path, message }) => `${path} ${message}`,
  )
}

describe('findIssues', () => {
  it.each([
    ['a missing value', { type: 'string' }, undefined, ' is required'],
    ['another type', { type: 'integer' }, 1.5, ' must be a whole number'],
    ['a text for a number', { type: 'number' }, '1', ' must be a number'],
    ['a list for an object', { type: 'object' }, [], ' must be an object'],
    ['a number below its bound', { type: 'number', minimum: 0 }, -1, ' must be at least 0'],
    ['a number above its bound', { type: 'number', maximum: 1 }, 2, ' must be at most 1'],
    ['a number on an open bound', { type: 'number', exclusiveMinimum: 0 }, 0, ' must be more than 0'],
    ['a number on the other open bound', { type: 'number', exclusiveMaximum: 1 }, 1, ' must be less than 1'],
    ['a number between multiples', { type: 'number', multipleOf: 0.1 }, 0.25, ' must be a multiple of 0.1'],
    ['an empty text', { type: 'string', minLength: 1 }, '', ' must not be empty'],
    ['a long text', { type: 'string', maxLength: 2 }, 'abc', ' may have at most 2 characters'],
    ['a text against its pattern', { type: 'string', pattern: '^a+$' }, 'ab', ' must match ^a+$'],
    ['what is no choice', { enum: ['a', 'b'] }, 'c', ' is none of "a", "b"'],
    ['a list that is too short', { type: 'array', minItems: 2 }, [1], ' needs at least 2 items; it has 1'],
    ['a list of another length', { type: 'array', minItems: 1, maxItems: 1 }, [], ' needs 1 item; it has 0'],
    ['a list that is too long', { type: 'array', maxItems: 1 }, [1, 2], ' takes at most 1 item; it has 2'],
    ['an item', { type: 'array', items: { type: 'number' } }, [0, 'a'], '/1 must be a number'],
    ['a place of a tuple', { type: 'array', prefixItems: [{ type: 'string' }] }, [1], '/0 must be text'],
    [
      'a member',
      { type: 'object', properties: { 'a/b': { type: 'null' } } },
      { 'a/b': 1 },
      '/a~1b must be null',
    ],
    ['a missing member', { type: 'object', required: ['a'] }, {}, '/a is required'],
    ['an unknown member', { type: 'object', additionalProperties: false }, { a: 1 }, '/a is not known here'],
  ])('finds %s', (_, schema, value, issue) => {
    expect(issuesOf(schema, value)).toEqual([issue])
  })

  it.each([
    [
      'a member with a default that is left out',
      { type: 'object', required: ['a'], properties: { a: { default: 1 } } },
      {},
    ],
    ['an optional member that is left out', { type: 'object', properties: { a: { type: 'string' } } }, {}],
    ['a member that no schema knows', { type: 'object', properties: {} }, { a: 1 }],
    ['a multiple that floating numbers miss', { type: 'number', multipleOf: 0.1 }, 0.3],
    ['a pattern that this engine cannot read', { type: 'string', pattern: '(?<' }, 'a'],
    ['a variant', { anyOf: [{ type: 'string' }, { type: 'number' }] }, 1],
    ['anything', {}, { a: [null] }],
  ])('takes %s', (_, schema, value) => {
    expect(issuesOf(schema, value)).toEqual([])
  })

  it('says what is wrong with the variant that comes nearest', () => {
    const near = { type: 'object', required: ['a'], properties: { a: { type: 'number', maximum: 3 } } }
    const far = { type: 'object', required: ['b', 'c'] }
    expect(issuesOf({ anyOf: [far, near] }, { a: 4 })).toEqual(['/a must be at most 3'])
  })

  it('names no more than 32 places, however many numbers are wrong', () => {
    const issues = issuesOf(
      { type: 'array', items: { type: 'number', maximum: 1 } },
      new Array(100_000).fill(2),
    )
    expect(issues).toHaveLength(32)
  })

  it('follows references, also where a schema holds itself', () => {
    const Tree = { type: 'object', properties: { next: { $ref: '#/$defs/Tree' }, leaf: { type: 'boolean' } } }
    expect(issuesOf(Tree, { next: { next: { leaf: 1 } } }, { $defs: { Tree } })).toEqual([
      '/next/next/leaf must be true or false',
    ])
  })
})
