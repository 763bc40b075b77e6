import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { fetchFailed } from './refusal.ts'

/** One request to one server, with everything decided. */
export interface Exchange {
  readonly url: URL
  /** The name or address in the URL, without brackets: what the certificate must be for. */
  readonly host: string
  /** Where the server is: addresses that were checked. Nothing else is connected to. */
  readonly addresses: readonly string[]
  readonly method: string
  readonly headers: Headers
  readonly body: string | Uint8Array | null
  /** Trusted instead of the authorities that the system trusts, as PEM. */
  readonly certificateAuthority: string | undefined
  /** Breaks the connection off when it fires, also while the reply is read. */
  readonly signal: AbortSignal
}

/** Options of a socket that a request hands on, beside those that its type has. */
interface FamilyOptions {
  readonly autoSelectFamily: boolean
  readonly autoSelectFamilyAttemptTimeout: number
}

/** How long one address may take to connect before the next is tried. */
const connectTimeoutMs = 3_000

/**
 * Sends a request on a connection of its own, and gives the reply as soon as its head has come.
 *
 * It is node:http and not `fetch`, since `fetch` takes the proxy of the environment, which would look names up
 * anew; node:http takes none. The lookup that it is given answers with the checked addresses, so that no other can
 * be connected to, and without an agent no connection of an earlier lookup is used again. The certificate is checked
 * against the URL's host, whatever the environment says of that.
 *
 * @throws {IsoplexError} `FETCH_FAILED`, `connection`.
 */
export function exchange(order: Exchange): Promise<IncomingMessage> {
  const { url, host, addresses, method, headers, body, certificateAuthority, signal } = order
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options: https.RequestOptions & FamilyOptions = {
    host,
    port: url.port || undefined,
    path: url.pathname + url.search,
    method,
    headers: Object.fromEntries(headers),
    agent: false,
    lookup: (_, { all }, found) => {
      const entries = addresses.map((address) => ({ address, family: isIP(address) }))
      const [first] = entries
      if (all) found(null, entries)
      else found(null, first?.address ?? '', first?.family)
    },
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: connectTimeoutMs,
    servername: isIP(host) ? '' : host,
    rejectUnauthorized: true,
    ca: certificateAuthority,
  }
  const request = url.protocol === 'https:' ? https.request(options) : http.request(options)
  const end = (): void => void request.destroy()
  request.on('response', (reply) => {
    // Whoever reads the reply meets its error there; one that nobody reads must not end the process.
    reply.on('error', () => undefined)
    resolve(reply)
  })
  request.on('upgrade', (_, socket) => {
    socket.destroy()
    reject(fetchFailed('connection', `The server "${url.host}" speaks another protocol than was asked for.`))
  })
  // An error after the reply's head reaches the reply as well.
  request.on('error', (error) => reject(connectionFailed(url, error)))
  request.on('close', () => signal.removeEventListener('abort', end))
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  request.end(body ?? undefined)
  return promise
}

function connectionFailed({ host }: URL, error: Error): Error {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return fetchFailed('connection', `The server "${host}" ${whyOf(code)}.`, error)
}

function whyOf(code: string): string {
  if (/CERT|SIGNATURE|TLS|SSL/.test(code)) return 'has no certificate that is valid for it and trusted here'
  if (code.startsWith('HPE_')) return 'does not answer in HTTP/1.1'
  return 'cannot be reached, or broke the connection off'
}
