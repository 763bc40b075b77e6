import type { FetchedInput, InputFetchOptions } from '../define/context.ts'
import { takesMediaType } from '../define/schema.ts'
import type { ErrorDetails } from '../error/codes.ts'
import { IsoplexError } from '../error/error.ts'
import { bytesWithin } from '../runner/bounded-bytes.ts'
import { inputBoundsOf, mediaTypeIn } from '../runner/input-bounds.ts'

/**
 * Fetches an input that a request gives by URL, within the function's bounds, with the page's own fetch: what the
 * browser lets a page read, without credentials.
 *
 * @throws {IsoplexError} `URL_REFUSED` or `FETCH_FAILED`, as on a server.
 * @throws {TypeError} where an option is outside its bounds; what the signal gives where the request has ended.
 */
export async function fetchPageInput(
  url: string,
  options: InputFetchOptions,
  signal: AbortSignal,
): Promise<FetchedInput> {
  const { maxBytes, timeoutMs, taken } = inputBoundsOf(options)
  const target = targetOf(url)
  const deadline = AbortSignal.timeout(timeoutMs)
  const until = AbortSignal.any([signal, deadline])
  let reply: Response | null = null
  try {
    reply = await fetch(target, { credentials: 'omit', headers: { accept: taken.join(', ') }, signal: until })
    const mediaType = mediaTypeIn(reply.headers)
    assertTaken(reply, mediaType, taken)
    const bytes = await bytesWithin(reply, maxBytes)
    if (bytes) return { bytes, mediaType, url: reply.url }
    throw refused('too-large', `The file is larger than the ${maxBytes} bytes that are taken.`)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof IsoplexError) throw error
    const { host } = target
    if (deadline.aborted) throw failed('timeout', `The server "${host}" took longer than ${timeoutMs} ms.`)
    if (reply) throw failed('cut-off', `The answer of "${host}" broke off.`, error)
    throw failed('connection', `The server "${host}" does not answer, or not to this page (CORS).`, error)
  } finally {
    // What was not read is not waited for; of what was, nothing is left to cancel.
    reply?.body?.cancel().catch(() => undefined)
  }
}

function targetOf(url: string): URL {
  const target = URL.parse(url)
  if (!target) throw refused('malformed', 'What was given as a URL is none.')
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    throw refused('scheme', `A URL must begin with https: or http:; got ${target.protocol}`)
  }
  if (target.username || target.password) throw refused('credentials', 'A URL must not hold a password.')
  return target
}

function assertTaken({ ok, status, url }: Response, mediaType: string, taken: readonly string[]): void {
  const { host } = new URL(url)
  if (!ok) throw failed('status', `The server "${host}" answered with status ${status}.`)
  if (takesMediaType(taken, mediaType)) return
  const sent = mediaType.slice(0, 128)
  throw refused('media-type', `What "${host}" sends is ${sent}; taken is ${taken.join(' or ')}.`)
}

function refused(
  reason: ErrorDetails['URL_REFUSED']['reason'],
  message: string,
): IsoplexError<'URL_REFUSED'> {
  return new IsoplexError('URL_REFUSED', message, { details: { reason } })
}

function failed(
  reason: ErrorDetails['FETCH_FAILED']['reason'],
  message: string,
  cause?: unknown,
): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError('FETCH_FAILED', message, { details: { reason }, cause })
}
