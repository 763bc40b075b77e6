import type { ErrorDetails } from '../error/codes.ts'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { fromProblem } from '../error/wire.ts'
import { jsonWithin } from '../runner/bounded-bytes.ts'

/** The cache that holds the last answers. */
const cacheName = 'isoplex-answers'
/** The most answers that are kept; the oldest goes first. */
const mostKept = 64
const maxAnswerBytes = 16_777_216
/** How long an answer may take, so that nobody waits for ever for a network that swallows questions. */
const answerTimeoutMs = 30_000

/** A question to a server whose answer is JSON. */
export interface Question {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Tells apart what one URL answers to different askers; it is kept with the answer, so it must be no secret. */
  readonly asker?: string
}

/**
 * Asks a server, and keeps its answer: where the network fails, the last answer counts, so that a page works offline
 * after its first visit. What the server itself refuses is refused, and forgotten. No question follows a redirect: it
 * may carry a token.
 *
 * @throws {IsoplexError} what the server says in a problem document; `FETCH_FAILED` where it says something else, or
 * nothing and no answer is kept.
 */
export async function askKept({ url, headers = {}, asker }: Question): Promise<unknown> {
  const key = asker === undefined ? url : `${url}?asker=${asker}`
  const opening = openCache()
  const { host } = new URL(url)
  let reply: Response
  let answer: unknown
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs)
    reply = await fetch(url, { headers, cache: 'no-cache', redirect: 'manual', signal })
    const reading = jsonWithin(reply, maxAnswerBytes)
    // A refusal is one, also where it breaks off.
    answer = await (reply.ok ? reading : reading.catch(() => undefined))
  } catch (cause) {
    const cache = await opening
    const kept = await cache?.match(key).catch(() => undefined)
    if (kept) return kept.json()
    throw failed('connection', `The server "${host}" does not answer, or not to this page.`, cause)
  }
  if (!reply.ok) {
    const cache = await opening
    if (reply.status >= 400 && reply.status < 500) await cache?.delete(key).catch(() => undefined)
    throw fromProblem(answer) ?? statusError(reply, host)
  }
  if (answer === undefined) {
    throw failed('content', `What "${host}" answers is no JSON; is there another server at this address?`)
  }
  // Nobody waits for it, and a full disk costs the offline answer only.
  void opening.then((cache) => cache && keep(cache, key, answer)).catch(() => undefined)
  return answer
}

/** The cache; `null` where a page has none: it was not loaded over https, or the user forbids it. */
async function openCache(): Promise<Cache | null> {
  if (!('caches' in globalThis)) return null
  return caches.open(cacheName).catch(() => null)
}

async function keep(cache: Cache, key: string, answer: unknown): Promise<void> {
  await cache.delete(key)
  await cache.put(key, Response.json(answer))
  const keys = await cache.keys()
  await Promise.all(keys.slice(0, -mostKept).map((old) => cache.delete(old)))
}

function statusError({ status, type }: Response, host: string): AnyIsoplexError {
  const redirects = type === 'opaqueredirect' || (status >= 300 && status < 400)
  const message = redirects
    ? `The server "${host}" sends questions elsewhere, where a token must not go; give the final address.`
    : `The server "${host}" answered with status ${status}.`
  return failed('status', message)
}

function failed(
  reason: ErrorDetails['FETCH_FAILED']['reason'],
  message: string,
  cause?: unknown,
): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError('FETCH_FAILED', message, { details: { reason }, cause })
}
