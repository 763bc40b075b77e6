import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createChecker, maxIssues } from '../../runtime/define/check.ts'
import { fileValue } from '../../runtime/define/file-value.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'

const Person = Type.Object({ name: Type.String(), age: Type.Integer({ minimum: 0 }) })

describe('createChecker', () => {
  it('names no place where the value fits', () => {
    expect(createChecker(Person).issues({ name: 'Ada', age: 36, more: true })).toEqual([])
  })

  it('names each place once, with its first reason', () => {
    // TypeBox says of a missing property that it is required, and then that `undefined` is no string.
    expect(createChecker(Person).issues({ age: -1.5 })).toEqual([
      { path: '/name', message: 'Expected required property' },
      { path: '/age', message: 'Expected integer' },
    ])
  })

  it('writes places as JSON pointers', () => {
    const schema = Type.Object({ 'a/b': Type.Object({ '~': Type.Array(Type.Number()) }) })
    expect(createChecker(schema).issues({ 'a/b': { '~': [1, 'x'] } })).toEqual([
      { path: '/a~1b/~0/1', message: 'Expected number' },
    ])
  })

  it('says of a union that none of it fits, or what it says itself that it takes', () => {
    const expected = 'a number from 1, or null'
    const told = Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { expected })
    expect(createChecker(told).issues(0)).toEqual([{ path: '', message: `Expected ${expected}` }])
    const schema = Type.Object({ id: Type.Union([Type.String(), Type.Integer()]) })
    expect(createChecker(schema).issues({ id: true })).toEqual([
      { path: '/id', message: 'Expected union value' },
    ])
  })

  it('names the first 32 places and stops there', () => {
    const issues = createChecker(Type.Array(Type.Number())).issues(new Array(100).fill('x'))
    expect(maxIssues).toBe(32)
    expect(issues.map(({ path }) => path)).toEqual(Array.from({ length: 32 }, (_, index) => `/${index}`))
  })

  it('looks no further than the first 32 places', () => {
    // A getter at each later place tells of any look at it.
    const values = new Array<unknown>(1_000).fill('x')
    let looks = 0
    for (let index = maxIssues + 1; index < values.length; index += 1) {
      Object.defineProperty(values, index, { get: () => (looks += 1) })
    }
    expect(createChecker(Type.Array(Type.Number())).issues(values)).toHaveLength(maxIssues)
    expect(looks).toBe(0)
  })

  it('refuses NaN and the infinities as numbers', () => {
    const { issues } = createChecker(Type.Number())
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(issues(value)).toEqual([{ path: '', message: 'Expected number' }])
    }
  })

  it('sees __proto__ as a property like any other', () => {
    const { issues } = createChecker(Type.Object({}, { additionalProperties: false }))
    expect(issues(JSON.parse('{"__proto__":{"admin":true}}'))).toEqual([
      { path: '/__proto__', message: 'Unexpected property' },
    ])
  })

  it('refuses a value that a recursive schema cannot be followed through', () => {
    const Nested = Type.Recursive((This) => Type.Array(This))
    const nest = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
    const { issues } = createChecker(Nested)
    expect(issues(nest(100))).toEqual([])
    expect(issues(nest(1_000_000))).toEqual([
      { path: '', message: 'Expected a value that is nested less deeply' },
    ])
  })

  it('lets an error of a schema itself through', () => {
    expect(() => createChecker(Type.Ref('nowhere'))).toThrow(/nowhere/)
  })
})

describe('a file or tensor that does not fit', () => {
  it('is told what it should be', () => {
    const schema = Type.Object({
      picture: file({ mediaTypes: ['image/png', 'image/jpeg'], maxBytes: 3 }),
      any: file(),
      scores: tensorOf('float32', ['batch', null, 3]),
    })
    const value = {
      picture: fileValue(new Uint8Array(4), 'image/png'),
      any: 'text',
      scores: tensor('float32', new Float32Array(2), [2]),
    }
    expect(createChecker(schema).issues(value)).toEqual([
      { path: '/picture', message: 'Expected a file (image/png, image/jpeg) of at most 3 bytes' },
      { path: '/any', message: 'Expected a file (*/*)' },
      { path: '/scores', message: 'Expected a float32 tensor of shape [batch, ?, 3]' },
    ])
  })

  it('is not mistaken for a schema that has a keyword of the same name', () => {
    const schema = Type.String({ mediaTypes: 'of my own', tensorType: 'of my own' })
    expect(createChecker(schema).issues(1)).toEqual([{ path: '', message: 'Expected string' }])
  })
})

describe('where the content security policy forbids code from text', () => {
  const original = globalThis.Function

  afterEach(() => {
    globalThis.Function = original
  })

  let refusals = 0

  /** A browser throws this from `Function` under such a policy. */
  function forbid(): void {
    refusals = 0
    const refuse = (): never => {
      refusals += 1
      throw new EvalError('Refused to evaluate a string as JavaScript.')
    }
    globalThis.Function = new Proxy(original, { apply: refuse, construct: refuse })
  }

  it('interprets the schema instead of compiling it', () => {
    forbid()
    const { issues } = createChecker(Person)
    expect(issues({ name: 'Ada', age: 36 })).toEqual([])
    expect(issues({ name: 'Ada', age: 'x' })).toEqual([{ path: '/age', message: 'Expected integer' }])
    expect(refusals).toBe(1)
  })

  it('comes to the same findings', () => {
    const schema = Type.Object({
      n: Type.Optional(Type.Integer({ minimum: 2 })),
      list: Type.Array(Type.Union([Type.String({ format: 'date' }), Type.Null()]), { maxItems: 2 }),
    })
    const compiled = createChecker(schema)
    forbid()
    const interpreted = createChecker(schema)
    const anything = fc.anything({ withNullPrototype: true })
    const near = fc.record(
      { n: fc.oneof(fc.integer(), anything), list: fc.array(fc.oneof(fc.constant(null), anything)) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(anything, near), (value) => {
        expect(interpreted.issues(value)).toEqual(compiled.issues(value))
      }),
    )
  })
})
