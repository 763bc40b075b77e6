import { expect, it } from 'vitest'
import { invalidInput, refuseInput, refuseOutput } from '../../runtime/runner/refusal.ts'

it('names the place and the reason', () => {
  const error = invalidInput('/a/0', 'Expected number')
  expect(error).toMatchObject({
    code: 'INPUT_INVALID',
    status: 422,
    message: 'The input does not fit at /a/0: Expected number.',
    details: { issues: [{ path: '/a/0', message: 'Expected number' }] },
  })
})

it('calls the place without a path the top', () => {
  expect(invalidInput('', 'A body is required').message).toBe(
    'The input does not fit at the top: A body is required.',
  )
})

it('says the first of several reasons and counts the others', () => {
  const issues = ['/a', '/b', '/c'].map((path) => ({ path, message: 'Expected string' }))
  expect(refuseInput(issues)).toMatchObject({
    message: 'The input does not fit at /a: Expected string (and 2 more).',
    details: { issues },
  })
})

it('names the function that another one calls', () => {
  expect(refuseInput([{ path: '/x', message: 'Expected number' }], 'add').message).toBe(
    'The input of the function "add" does not fit at /x: Expected number.',
  )
})

it('tells the function’s mistake from the caller’s', () => {
  expect(refuseOutput([{ path: '', message: 'Expected string' }])).toMatchObject({
    code: 'OUTPUT_INVALID',
    status: 500,
    message: "The function's result does not fit at the top: Expected string.",
  })
})
