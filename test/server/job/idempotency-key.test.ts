import { expect, it } from 'vitest'
import { readIdempotencyKey } from '../../../runtime/server/job/idempotency-key.ts'

const read = (key: string): string | null => readIdempotencyKey(new Headers({ 'idempotency-key': key }))

it.each([
  ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['"8e03978e"', '8e03978e'],
  ['  a  ', 'a'],
  ['"!~"', '!~'],
  ['x'.repeat(255), 'x'.repeat(255)],
  [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
])('reads %s', (header, key) => {
  expect(read(header)).toBe(key)
})

it('reads none where none is sent', () => {
  expect(readIdempotencyKey(new Headers())).toBe(null)
})

it.each(['', '""', '"', '"a', 'a b', '"a b"', 'a, b', 'x'.repeat(256), `"${'x'.repeat(256)}"`, 'ä', '"a"b"'])(
  'refuses "%s"',
  (header) => {
    expect(() => read(header)).toThrow(expect.objectContaining({ code: 'REQUEST_MALFORMED', status: 400 }))
  },
)

it('refuses two keys', () => {
  const headers = new Headers([
    ['idempotency-key', 'a'],
    ['idempotency-key', 'b'],
  ])
  expect(() => readIdempotencyKey(headers)).toThrow('must be one text')
})
