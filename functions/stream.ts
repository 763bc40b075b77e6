import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  description: 'Counts, one item after the other: server-sent events or lines of JSON, as `Accept` has it.',
  access: 'public',
  runs: ['server', 'browser'],
  query: Type.Object({
    to: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10 }),
    pauseMs: Type.Integer({ minimum: 0, maximum: 60_000, default: 0 }),
  }),
  output: Type.Object({ count: Type.Integer() }),
  async *handler({ query, signal }) {
    for (let count = 1; count <= query.to && !signal.aborted; count += 1) {
      if (query.pauseMs > 0 && count > 1) await pause(query.pauseMs, signal)
      yield { count }
    }
  },
})

/** Waits, or ends early where nobody listens any more. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
