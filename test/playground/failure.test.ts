import { describe, expect, it } from 'vitest'
import { errorCodes } from '../../runtime/error/codes.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { isCancelled, placeIssue, readFailure } from '../../runtime/playground/failure.ts'

describe('readFailure', () => {
  it('shows code, message, places and what to do', () => {
    const issues = [{ path: '/pixels', message: 'is short' }]
    const error = new IsoplexError('INPUT_INVALID', 'It does not fit.', { details: { issues } })
    expect(readFailure(Object.assign(error, { requestId: 'r1' }))).toEqual({
      code: 'INPUT_INVALID',
      message: 'It does not fit.',
      requestId: 'r1',
      advice: expect.stringContaining('marked'),
      issues,
    })
  })

  it('has advice for each error that may pass by itself', () => {
    for (const [code, { retryable }] of Object.entries(errorCodes)) {
      const { advice } = readFailure(Object.assign(new Error('x'), { code, retryable }))
      if (retryable) expect(advice).not.toBe('')
    }
  })

  it.each([
    ['an error of the browser', new TypeError('Failed to fetch'), 'FAILED', 'Failed to fetch'],
    ['a text', 'gone', 'FAILED', 'gone'],
    ['nothing', undefined, 'FAILED', 'undefined'],
    ['strange details', { code: 'X', message: 'm', details: { issues: [1, { path: 1 }] } }, 'X', 'm'],
  ])('reads %s', (_, error, code, message) => {
    expect(readFailure(error)).toMatchObject({ code, message, issues: [], requestId: null })
  })
})

it('knows the end that somebody wished', () => {
  expect(isCancelled(new IsoplexError('CANCELLED', 'The caller has gone.'))).toBe(true)
  expect(isCancelled(new DOMException('', 'AbortError'))).toBe(true)
  expect(isCancelled(new Error('AbortError'))).toBe(false)
  expect(isCancelled(null)).toBe(false)
})

it.each([
  ['/query/to', ['query'], { slot: 'query', path: '/to' }],
  ['/params', ['params'], { slot: 'params', path: '' }],
  ['/query/to', ['input'], { slot: 'input', path: '/query/to' }],
  ['/queryable', ['query'], { slot: 'input', path: '/queryable' }],
  ['', ['query'], { slot: 'input', path: '' }],
])('finds the part of a call that %j is in, with %j', (path, slots, place) => {
  expect(placeIssue(path, (slot) => slots.includes(slot))).toEqual(place)
})
