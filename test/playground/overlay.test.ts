import { expect, it } from 'vitest'
import { noOverlay, overlayOf } from '../../runtime/playground/overlay.ts'

it.each([
  ['the first list of shares', { state: 'abc', scores: [0, 0.5, 1], more: [1] }, [0, 0.5, 1]],
  ['a list that is the answer', [0.1], [0.1]],
  ['no numbers beyond 1', { scores: [0.5, 2] }, null],
  ['no empty list', { scores: [] }, null],
  ['nothing of a text', 'abc', null],
  ['nothing of nothing', undefined, null],
])('takes %s', (_, output, shares) => {
  expect(overlayOf(output)).toEqual({ ...noOverlay, shares })
})

const box = [
  [0, 0],
  [9, 1],
  [8.5, 4],
  [-1, 3],
]

it.each([
  ['boxes with their texts', { lines: [{ text: 'a', box, score: 1 }] }, ['a']],
  ['boxes without', { width: 5, found: [{ box }, { box, text: 7 }] }, ['', '']],
  ['a list that is the answer', [{ box, text: 'b' }], ['b']],
  ['nothing where a box is none', { lines: [{ box }, { box: [[0, 0]] }] }, []],
  ['nothing where a corner is none', { lines: [{ box: [...box.slice(1), [1, '2']] }] }, []],
  ['nothing where a corner is beyond all', { lines: [{ box: [...box.slice(1), [1, Number.NaN]] }] }, []],
  ['nothing of an empty list', { lines: [] }, []],
  ['not more than can be drawn', { lines: Array.from({ length: 1_001 }, () => ({ box })) }, []],
])('takes %s', (_, output, texts) => {
  const { shares, boxes } = overlayOf(output)
  expect(shares).toBeNull()
  expect(boxes).toEqual(texts.map((text) => ({ corners: box, text })))
})
