import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'

/** The cache that holds the last answers. */
const cacheName = 'isoplex-answers'
/** The most answers that are kept; the oldest goes first. */
const mostKept = 64

/** A question to a server whose answer is JSON. */
export interface Question {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Tells apart what one URL answers to different askers; it is kept with the answer, so it must be no secret. */
  readonly asker?: string
}

/**
 * Asks a server, and keeps its answer: where the network fails, the last answer counts, so that a page works offline
 * after its first visit. What the server itself refuses is refused, and forgotten.
 *
 * @throws {IsoplexError} what the server says in a problem document; `FETCH_FAILED` where it says something else, or
 * nothing and no answer is kept.
 */
export async function askKept({ url, headers = {}, asker }: Question): Promise<unknown> {
  const key = asker === undefined ? url : `${url}?asker=${asker}`
  const opening = openCache()
  let reply: Response
  try {
    reply = await fetch(url, { headers, cache: 'no-cache' })
  } catch (error) {
    const cache = await opening
    const kept = await cache?.match(key).catch(() => undefined)
    if (kept) return kept.json()
    const message = `The server "${new URL(url).host}" does not answer, or not to this page.`
    throw new IsoplexError('FETCH_FAILED', message, { details: { reason: 'connection' }, cause: error })
  }
  if (!reply.ok) {
    const cache = await opening
    if (reply.status < 500) await cache?.delete(key).catch(() => undefined)
    throw await refusalOf(reply)
  }
  const text = await reply.text()
  const answer = parse(text, url)
  // Nobody waits for it, and a full disk costs the offline answer only.
  void opening.then((cache) => cache && keep(cache, key, text)).catch(() => undefined)
  return answer
}

/** The cache; `null` where a page has none: it was not loaded over https, or the user forbids it. */
async function openCache(): Promise<Cache | null> {
  if (!('caches' in globalThis)) return null
  return caches.open(cacheName).catch(() => null)
}

async function keep(cache: Cache, key: string, text: string): Promise<void> {
  await cache.delete(key)
  await cache.put(key, new Response(text, { headers: { 'content-type': 'application/json' } }))
  const keys = await cache.keys()
  await Promise.all(keys.slice(0, -mostKept).map((old) => cache.delete(old)))
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `What "${new URL(url).host}" answers is no JSON; is there another server at this address?`
    throw new IsoplexError('FETCH_FAILED', message, { details: { reason: 'cut-off' }, cause })
  }
}

/** The error of a problem document (RFC 9457), else one that says the status. */
async function refusalOf(reply: Response): Promise<AnyIsoplexError> {
  const problem: Readonly<Record<string, unknown>> | null = await reply.json().catch(() => null)
  const {
    code,
    detail,
    type: _,
    title: _title,
    status: _status,
    instance: _instance,
    ...details
  } = problem ?? {}
  if (typeof code === 'string' && typeof detail === 'string') {
    return fromWire({ code: code as WireError['code'], message: detail, details })
  }
  return new IsoplexError(
    'FETCH_FAILED',
    `The server "${new URL(reply.url).host}" answered with status ${reply.status}.`,
    { details: { reason: 'status' } },
  )
}
