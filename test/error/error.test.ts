import { describe, expect, expectTypeOf, it } from 'vitest'
import type { SchemaIssue } from '../../runtime/error/codes.ts'
import { type AnyIsoplexError, IsoplexError, isIsoplexError } from '../../runtime/error/error.ts'

describe('IsoplexError', () => {
  it('carries code, message, details and cause', () => {
    const cause = new Error('below')
    const error = new IsoplexError('MODEL_NOT_FOUND', 'No model "a".', { details: { model: 'a' }, cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'IsoplexError',
      code: 'MODEL_NOT_FOUND',
      message: 'No model "a".',
      details: { model: 'a' },
      status: 404,
      retryable: false,
      cause,
    })
    expect(Object.isFrozen(error.details)).toBe(true)
    expect(String(error)).toBe('IsoplexError: No model "a".')
  })

  it('has no cause where none is given', () => {
    expect('cause' in new IsoplexError('INTERNAL', 'a')).toBe(false)
    expect('cause' in new IsoplexError('INTERNAL', 'a', {})).toBe(false)
  })

  it('says which request failed, where that is known', () => {
    expect(new IsoplexError('INTERNAL', 'a', { requestId: 'r-1' }).requestId).toBe('r-1')
    expect(new IsoplexError('INTERNAL', 'a').requestId).toBeNull()
  })

  it('narrows its details by its code', () => {
    const tell = (error: AnyIsoplexError): string => {
      switch (error.code) {
        case 'BODY_TOO_LARGE':
          expectTypeOf(error.details.limitBytes).toBeNumber()
          return `limit ${error.details.limitBytes}`
        case 'INPUT_INVALID':
          expectTypeOf(error.details.issues).toEqualTypeOf<readonly SchemaIssue[]>()
          return `issues ${error.details.issues.length}`
        case 'INTERNAL':
          expectTypeOf(error.details).toBeUndefined()
          return 'nothing'
        default:
          return 'other'
      }
    }
    expect(tell(new IsoplexError('BODY_TOO_LARGE', 'a', { details: { limitBytes: 5 } }))).toBe('limit 5')
    expect(tell(new IsoplexError('INTERNAL', 'a'))).toBe('nothing')
  })

  it('takes the details of its code, all of them and no others', () => {
    // @ts-expect-error A caller is promised the details of this code.
    new IsoplexError('MODEL_NOT_FOUND', 'a')
    // @ts-expect-error These are the details of another code.
    new IsoplexError('MODEL_NOT_FOUND', 'a', { details: { limitBytes: 1 } })
    // @ts-expect-error This code promises none, so nobody would look for them.
    new IsoplexError('INTERNAL', 'a', { details: { model: 'a' } })
    // @ts-expect-error The reasons are a closed set, to be switched over.
    new IsoplexError('TOKEN_INVALID', 'a', { details: { reason: 'other' } })
    // @ts-expect-error The codes are a closed set.
    new IsoplexError('OTHER', 'a')
    expectTypeOf(new IsoplexError('INTERNAL', 'a').code).toEqualTypeOf<'INTERNAL'>()
  })
})

describe('isIsoplexError', () => {
  it('knows its own, and those of another copy of isoplex', () => {
    const foreign = Object.assign(new Error('a'), {
      name: 'IsoplexError',
      code: 'INTERNAL',
      details: undefined,
    })
    expect([new IsoplexError('INTERNAL', 'a'), foreign].every(isIsoplexError)).toBe(true)
  })

  it('knows nothing else', () => {
    const alike = { name: 'IsoplexError', code: 'INTERNAL', message: 'a' }
    const named = (code: unknown): Error => Object.assign(new Error('a'), { name: 'IsoplexError', code })
    for (const value of [
      null,
      undefined,
      'IsoplexError',
      alike,
      new Error('a'),
      Object.assign(new Error('a'), { code: 'INTERNAL' }),
      named('OTHER'),
      named('toString'),
      named(1),
      named(undefined),
    ]) {
      expect(isIsoplexError(value)).toBe(false)
    }
  })
})
