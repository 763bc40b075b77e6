import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { exchange } from './exchange.ts'
import { Lifetime } from './lifetime.ts'
import { judgeAddresses, judgeUrl, type OutboundPolicy } from './policy.ts'
import { type Hop, nextHop, redirectTarget } from './redirect.ts'
import { fetchFailed, urlRefused } from './refusal.ts'
import { bytesOfReply } from './reply-bytes.ts'
import { type ResolveName, resolveName } from './resolve-name.ts'

/** A request to another server. */
export interface OutboundRequest {
  /** An absolute URL, in whatever spelling. It is judged by the policy, and so is every redirect. */
  readonly url: string
  readonly policy: OutboundPolicy
  /** @default 'GET' */
  readonly method?: string
  /**
   * Sent to the URL's own origin. After a redirect to another only `accept`, ranges, conditions and `user-agent`
   * go along: what is left out may be a credential.
   */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Time in which the head of the reply must have come, lookups and redirects included. @default 30000 */
  readonly timeoutMs?: number
  /** Time in which more of the body must come whenever some is waited for. @default 30000 */
  readonly idleTimeoutMs?: number
  /** Redirects that are followed, of GET and HEAD without a body only. @default 3 */
  readonly maxRedirects?: number
  /** Ends the request, also while its body is read; what it rejects with is the signal's reason. */
  readonly signal?: AbortSignal
  /** Finds the addresses of a name. @default the system's lookup */
  readonly resolve?: ResolveName
  /** Trusted instead of the authorities that the system trusts, as PEM. */
  readonly certificateAuthority?: string
}

/** The reply of another server. It holds a connection until its body is read to the end or it is cancelled. */
export interface OutboundResponse {
  readonly status: number
  readonly headers: Headers
  /** The URL that answered, after redirects. */
  readonly url: string
  /**
   * The bytes as they come, to be read once. Reading fails with `FETCH_FAILED`: `cut-off` where fewer came than were
   * announced, `timeout`, or `encoding` where they are compressed although that was not asked for.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** Frees the connection; what was not read is lost. It may be called at any time. */
  cancel(): void
}

const defaultTimeoutMs = 30_000
const defaultMaxRedirects = 3

/**
 * Sends a request to another server: the only way by which isoplex does. URL and addresses are judged by the policy,
 * and exactly the addresses that were judged are connected to. A reply of any status is handed back.
 *
 * @throws {IsoplexError} `URL_REFUSED`; `FETCH_FAILED`: `connection` or `timeout`.
 */
export async function request(options: OutboundRequest): Promise<OutboundResponse> {
  const { timeoutMs = defaultTimeoutMs, maxRedirects = defaultMaxRedirects } = options
  const life = new Lifetime(options.signal)
  life.within(timeoutMs, `The server "${URL.parse(options.url)?.host}" took too long to answer.`)
  try {
    let hop: Hop = { url: options.url, headers: firstHeaders(options) }
    for (let followed = 0; ; followed += 1) {
      const { url, reply } = await send(hop, options, life)
      const target = redirectTarget(reply, options)
      if (target === null) return responseOf(url, reply, options, life)
      reply.destroy()
      if (followed === maxRedirects) {
        throw urlRefused('redirects', `The host "${url.hostname}" redirects more often than is followed.`)
      }
      hop = nextHop(url, target, hop.headers)
    }
  } catch (error) {
    const reason: unknown = life.signal.aborted ? life.signal.reason : error
    life.end()
    throw reason
  }
}

function firstHeaders({ headers }: OutboundRequest): Headers {
  const all = new Headers(headers)
  all.delete('host')
  if (!all.has('user-agent')) all.set('user-agent', 'isoplex')
  // Nothing here unpacks, so that what is small on the wire is small.
  all.set('accept-encoding', 'identity')
  return all
}

async function send(
  { url: text, headers }: Hop,
  options: OutboundRequest,
  life: Lifetime,
): Promise<{ readonly url: URL; readonly reply: IncomingMessage }> {
  const { method = 'GET', body = null, policy, resolve = resolveName, certificateAuthority } = options
  const allowed = judgeUrl(text, policy)
  const { url, host } = allowed
  const addresses = isIP(host) ? [host] : await life.wait(resolve(host))
  if (addresses.length === 0) throw fetchFailed('connection', `The host "${host}" has no address.`)
  judgeAddresses(addresses, allowed)
  const { signal } = life
  const reply = await life.wait(
    exchange({ url, host, addresses, method, headers, body, certificateAuthority, signal }),
  )
  return { url, reply }
}

function responseOf(
  url: URL,
  reply: IncomingMessage,
  options: OutboundRequest,
  life: Lifetime,
): OutboundResponse {
  const { idleTimeoutMs = defaultTimeoutMs } = options
  life.inTime()
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(reply.headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  return {
    status: reply.statusCode ?? 0,
    headers,
    url: url.href,
    body: bytesOfReply(reply, { host: url.host, idleTimeoutMs, life }),
    cancel: () => life.end(),
  }
}
