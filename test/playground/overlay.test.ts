import { expect, it } from 'vitest'
import { firstShares } from '../../runtime/playground/overlay.ts'

it.each([
  ['the first list of shares', { state: 'abc', scores: [0, 0.5, 1], more: [1] }, [0, 0.5, 1]],
  ['a list that is the answer', [0.1], [0.1]],
  ['no numbers beyond 1', { scores: [0.5, 2] }, null],
  ['no empty list', { scores: [] }, null],
  ['nothing of a text', 'abc', null],
  ['nothing of nothing', undefined, null],
])('takes %s', (_, output, shares) => {
  expect(firstShares(output)).toEqual(shares)
})
