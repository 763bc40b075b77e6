import type { FetchedInput, InputFetchOptions } from '../define/context.ts'
import { takesMediaType } from '../define/schema.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import { fetchFailed, urlRefused } from '../network/refusal.ts'
import type { InputFetch } from '../runner/call.ts'
import { inputBoundsOf, mediaTypeIn } from '../runner/input-bounds.ts'

/**
 * Makes what fetches the inputs that requests give by URL, within the operator's policy and the function's bounds.
 *
 * What it makes rejects with `URL_REFUSED` or `FETCH_FAILED`, with a `TypeError` where an option is outside its
 * bounds, and with the signal's reason where the request has ended.
 */
export function createInputFetch(policy: OutboundPolicy): InputFetch {
  return (url, options, signal) => fetchInput(url, options, { policy, signal })
}

/** What the request in whose name a function fetches decides. */
interface InputFetchBounds {
  readonly policy: OutboundPolicy
  /** Ends the fetch when the request ends. */
  readonly signal: AbortSignal
}

async function fetchInput(
  url: string,
  options: InputFetchOptions,
  { policy, signal }: InputFetchBounds,
): Promise<FetchedInput> {
  const { maxBytes, timeoutMs, taken } = inputBoundsOf(options)
  // Few functions fetch, and what HTTP takes to load would delay the start of every runner.
  const { requestWhole } = await import('../network/whole-reply.ts')
  const reply = await requestWhole({
    url,
    policy,
    signal,
    maxBytes,
    timeoutMs,
    headers: { accept: taken.join(', ') },
    check: ({ status, headers, url: answered }) => {
      const { host } = new URL(answered)
      if (status < 200 || status > 299) {
        throw fetchFailed('status', `The server "${host}" answered with status ${status}.`)
      }
      const mediaType = mediaTypeIn(headers)
      if (takesMediaType(taken, mediaType)) return
      throw urlRefused(
        'media-type',
        `What "${host}" sends is ${mediaType.slice(0, 128)}; taken is ${taken.join(' or ')}.`,
      )
    },
  })
  return { bytes: reply.bytes, mediaType: mediaTypeIn(reply.headers), url: reply.url }
}
