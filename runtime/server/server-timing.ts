import type { ComputedBy, RequestTiming } from '../replica/ticket.ts'

/** The texts of short times, made once: they are needed with each reply. */
const shortTimes: readonly string[] = Object.freeze(
  Array.from({ length: 1_000 }, (_, hundredths) => String(hundredths / 100)),
)

/** What each runner's answers say, made once. */
const origins = new WeakMap<ComputedBy, string>()

/**
 * The header `Server-Timing` (W3C Server Timing) of a request: how long it waited for a runner, how long the function
 * took for its batch, in milliseconds, and which version of which model answered on which provider. In a model's name,
 * what a quoted text cannot hold is percent-encoded.
 */
export function serverTiming({ queueMs, computeMs, computedBy }: RequestTiming): string {
  return `queue;dur=${duration(queueMs)}, infer;dur=${duration(computeMs)}${computedBy ? originOf(computedBy) : ''}`
}

function originOf(computedBy: ComputedBy): string {
  const known = origins.get(computedBy)
  if (known !== undefined) return known
  const { model, provider } = computedBy
  const parts = [`model;desc="${plain(model.id)}"`, `version;desc="${plain(model.version)}"`]
  if (provider !== null) parts.push(`provider;desc="${provider}"`)
  const text = parts.map((part) => `, ${part}`).join('')
  origins.set(computedBy, text)
  return text
}

/** Visible characters but for quote, backslash and percent, and those as they are in a URL. */
function plain(text: string): string {
  return text.replaceAll(/[^\x21\x23\x24\x26-\x5b\x5d-\x7e]+/g, (others) =>
    encodeURIComponent(others.toWellFormed()),
  )
}

function duration(milliseconds: number): string {
  return shortTimes[Math.round(milliseconds * 100)] ?? milliseconds.toFixed(1)
}
