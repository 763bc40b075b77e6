import { expect, it } from 'vitest'
import { nodeFailure } from '../../runtime/define/graph-failure.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

const issues = [{ path: '/text', message: 'is long' }]

it.each([
  [null, 'Node "read": No.', '/nodes/read/text'],
  [3, 'Node "read", item 3: No.', '/nodes/read/3/text'],
])('names the node and the item %s', (item, message, path) => {
  const cause = new IsoplexError('INPUT_INVALID', 'No.', { details: { issues }, requestId: 'r' })
  expect(nodeFailure(cause, { node: 'read', item })).toMatchObject({
    code: 'INPUT_INVALID',
    message,
    cause,
    requestId: 'r',
    details: { issues: [{ path, message: 'is long' }] },
  })
})

it('keeps code and details of any other error', () => {
  const cause = new IsoplexError('QUEUE_FULL', 'Full.', { details: { retryAfterMs: 5 } })
  expect(nodeFailure(cause, { node: 'read', item: null })).toMatchObject({
    code: 'QUEUE_FULL',
    message: 'Node "read": Full.',
    details: { retryAfterMs: 5 },
    retryable: true,
  })
})

it('makes a plain error the cause of another', () => {
  const cause = new TypeError('secret')
  expect(nodeFailure(cause, { node: 'read', item: null })).toEqual(
    new Error('Node "read" failed.', { cause }),
  )
})
