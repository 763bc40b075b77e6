import { expect, it } from 'vitest'
import { serverTiming } from '../../runtime/server/server-timing.ts'

it.each([
  [0, 0, 'queue;dur=0, infer;dur=0'],
  [0.014, 2.5, 'queue;dur=0.01, infer;dur=2.5'],
  [9.994, 9.996, 'queue;dur=9.99, infer;dur=10.0'],
  [31_536_000_000, 0.1, 'queue;dur=31536000000.0, infer;dur=0.1'],
])('says %d ms and %d ms', (queueMs, computeMs, text) => {
  expect(serverTiming({ queueMs, computeMs, batchSize: 1, computedBy: null })).toBe(text)
})

it('says which version of which model answered on which provider', () => {
  const timing = { queueMs: 0, computeMs: 0, batchSize: 1 }
  const model = { id: 'say "50 %"\\ü\n', version: '3' }
  expect(serverTiming({ ...timing, computedBy: { model, provider: 'cpu' } })).toBe(
    'queue;dur=0, infer;dur=0, model;desc="say%20%2250%20%25%22%5C%C3%BC%0A", version;desc="3", provider;desc="cpu"',
  )
  expect(serverTiming({ ...timing, computedBy: { model, provider: null } })).not.toContain('provider')
})
