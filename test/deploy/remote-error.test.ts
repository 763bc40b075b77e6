import { describe, expect, it } from 'vitest'
import { replyError } from '../../runtime/deploy/remote-error.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { toProblem } from '../../runtime/error/wire.ts'

function errorOf(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return replyError({ status, headers: new Headers(headers), bytes: new TextEncoder().encode(text) })
}

it('is that of a problem document of ours', () => {
  const sent = new IsoplexError('MODEL_NOT_FOUND', 'There is none.', { details: { model: '34' } })
  const error = errorOf(404, toProblem(sent), { 'x-request-id': 'r1' })
  expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND', message: 'There is none.', requestId: 'r1' })
  expect(error.details).toEqual({ model: '34' })
})

it.each([
  [400, 'REQUEST_MALFORMED'],
  [401, 'TOKEN_INVALID'],
  [403, 'ACCESS_FORBIDDEN'],
  [404, 'ROUTE_NOT_FOUND'],
  [405, 'METHOD_NOT_ALLOWED'],
  [422, 'INPUT_INVALID'],
  [429, 'SHARE_EXCEEDED'],
  [500, 'FETCH_FAILED'],
  [503, 'QUEUE_FULL'],
  [504, 'DEADLINE_EXCEEDED'],
])('is by the status %i %s, with the text of the server', (status, code) => {
  expect(errorOf(status, { detail: 'Not so.' })).toMatchObject({
    code,
    message: `The server answers ${status}: Not so.`,
  })
})

it('has the places that FastAPI names', () => {
  const missing = { type: 'missing', loc: ['body', 'a/b', 0], msg: 'Field required', input: {} }
  const query = { type: 'missing', loc: ['query', 'q'], msg: 'Field required' }
  const error = errorOf(422, { detail: [missing, query, 'nonsense', { loc: 3 }] })
  expect(error.details).toEqual({
    issues: [
      { path: '/a~1b/0', message: 'Field required' },
      { path: '/query/q', message: 'Field required' },
    ],
  })
})

it('knows a server without a GPU', () => {
  const error = errorOf(503, { detail: { error_type: 'gpu_unavailable', message: 'None.' } })
  expect(error).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', details: { missing: ['gpu'] } })
})

it('tells how long to wait, and what is allowed', () => {
  expect(errorOf(429, '', { 'retry-after': '7' }).details).toEqual({ retryAfterMs: 7_000 })
  expect(errorOf(405, '', { allow: 'GET, POST' }).details).toEqual({ allow: ['GET', 'POST'] })
})

describe('the text', () => {
  it('is that of a plain reply', () => {
    expect(errorOf(500, 'Internal Server Error').message).toBe(
      'The server answers 500: Internal Server Error',
    )
  })

  it('is bounded, and never missing', () => {
    expect(errorOf(500, 'a'.repeat(100_000)).message.length).toBeLessThan(2_100)
    expect(errorOf(500, '').message).toMatch(/does not say why/)
  })

  it('of a redirect says what to do', () => {
    expect(errorOf(307, '').message).toMatch(/name the final address/)
  })
})
