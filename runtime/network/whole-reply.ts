import { Lifetime } from './lifetime.ts'
import { type OutboundRequest, type OutboundResponse, request } from './outbound.ts'
import { urlRefused } from './refusal.ts'

/** The most bytes of a body that is held in memory. */
export interface BodyBound {
  readonly maxBytes: number
}

/** A request whose whole reply is wanted. */
export interface WholeRequest extends OutboundRequest, BodyBound {
  /** Time in which all of the reply must have come. @default 30000 */
  readonly timeoutMs?: number
  /** Sees the head before the body is read, and throws where the body is not wanted. */
  readonly check?: (head: Pick<OutboundResponse, 'status' | 'headers' | 'url'>) => void
}

/** A reply with its body. */
export interface WholeReply {
  readonly status: number
  readonly headers: Headers
  /** The URL that answered, after redirects. */
  readonly url: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const defaultTimeoutMs = 30_000

/**
 * Sends a request as {@link request} does, and reads the reply to its end; a slow body counts against the time.
 *
 * @throws {IsoplexError} `URL_REFUSED`, also `too-large`; `FETCH_FAILED`; what `check` throws.
 */
export async function requestWhole(options: WholeRequest): Promise<WholeReply> {
  const { timeoutMs = defaultTimeoutMs, check, maxBytes } = options
  const life = new Lifetime(options.signal)
  life.within(timeoutMs, `The server "${URL.parse(options.url)?.host}" took too long to send its reply.`)
  try {
    const response = await request({ ...options, signal: life.signal })
    check?.(response)
    const { status, headers, url } = response
    return { status, headers, url, bytes: await readBounded(response, { maxBytes }) }
  } finally {
    // Whatever is not read by now is not wanted.
    life.end()
  }
}

/**
 * Reads a body that must not be larger than the bound. It is given up before it is read where its length says so,
 * else as soon as more has come; memory grows with what comes, in whatever pieces.
 *
 * @throws {IsoplexError} `URL_REFUSED`, `too-large`; `FETCH_FAILED` as reading the body does.
 */
export async function readBounded(
  response: OutboundResponse,
  { maxBytes }: BodyBound,
): Promise<Uint8Array<ArrayBuffer>> {
  const { headers, url, body } = response
  const refused = (): Error =>
    urlRefused('too-large', `What "${new URL(url).host}" sends is larger than ${maxBytes} bytes.`)
  try {
    if (Number(headers.get('content-length') ?? 0) > maxBytes) throw refused()
    const sink = new Bun.ArrayBufferSink()
    sink.start({ asUint8Array: true })
    let received = 0
    for await (const chunk of body) {
      received += chunk.length
      if (received > maxBytes) throw refused()
      sink.write(chunk)
    }
    return sink.end() as Uint8Array<ArrayBuffer>
  } finally {
    response.cancel()
  }
}
