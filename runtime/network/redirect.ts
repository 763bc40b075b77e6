import type { IncomingMessage } from 'node:http'
import { urlRefused } from './refusal.ts'

/** One of the places that a request comes to. */
export interface Hop {
  /** As it was given or redirected to: not judged yet. */
  readonly url: string
  readonly headers: Headers
}

/** What is being asked, as far as a redirect depends on it. */
export interface RedirectedRequest {
  readonly method?: string
  readonly body?: string | Uint8Array
}

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308]
/** Headers that say what is wanted and not who wants it. */
const portableHeaders: readonly string[] = [
  'accept',
  'accept-encoding',
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'user-agent',
]

/**
 * Where a reply sends to; `null` where it is to be handed back: it is no redirect, names no place, or answers a
 * request that must not be sent twice unasked.
 */
export function redirectTarget(
  { statusCode = 0, headers }: IncomingMessage,
  { method = 'GET', body }: RedirectedRequest,
): string | null {
  const safe = (method === 'GET' || method === 'HEAD') && body === undefined
  return safe && redirectStatuses.includes(statusCode) ? (headers.location ?? null) : null
}

/**
 * The next place of a request. Headers stay with the origin that they were meant for: to another, and from there on,
 * only those go along that say what is wanted.
 *
 * @throws {IsoplexError} `URL_REFUSED`: `malformed`, or `scheme` where https leads to http.
 */
export function nextHop(from: URL, target: string, headers: Headers): Hop {
  const to = URL.parse(target, from)
  if (!to) throw urlRefused('malformed', `The host "${from.hostname}" redirects to what is no URL.`)
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw urlRefused('scheme', `The host "${from.hostname}" redirects from https to http.`)
  }
  if (to.origin === from.origin) return { url: to.href, headers }
  const portable = [...headers].filter(([name]) => portableHeaders.includes(name))
  return { url: to.href, headers: new Headers(portable) }
}
