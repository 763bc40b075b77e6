import { expect, it } from 'vitest'
import { serverTiming } from '../../runtime/server/server-timing.ts'

it.each([
  [0, 0, 'queue;dur=0, infer;dur=0'],
  [0.014, 2.5, 'queue;dur=0.01, infer;dur=2.5'],
  [9.994, 9.996, 'queue;dur=9.99, infer;dur=10.0'],
  [31_536_000_000, 0.1, 'queue;dur=31536000000.0, infer;dur=0.1'],
])('says %d ms and %d ms', (queueMs, computeMs, text) => {
  expect(serverTiming({ queueMs, computeMs, batchSize: 1 })).toBe(text)
})
