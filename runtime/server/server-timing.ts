import type { RequestTiming } from '../replica/ticket.ts'

/** The texts of short times, made once: they are needed with each reply. */
const shortTimes: readonly string[] = Object.freeze(
  Array.from({ length: 1_000 }, (_, hundredths) => String(hundredths / 100)),
)

/**
 * The header `Server-Timing` (W3C Server Timing) of a request: how long it waited for a runner, and how long the
 * function took for its batch, in milliseconds.
 */
export function serverTiming({ queueMs, computeMs }: RequestTiming): string {
  return `queue;dur=${duration(queueMs)}, infer;dur=${duration(computeMs)}`
}

function duration(milliseconds: number): string {
  return shortTimes[Math.round(milliseconds * 100)] ?? milliseconds.toFixed(1)
}
