import type { Answer, RequestTiming } from '../replica/ticket.ts'
import { jsonReplyHead } from '../runner/head.ts'
import { serverTiming } from './server-timing.ts'

/** What a reply depends on beside the function's answer. */
export interface ReplyOptions {
  /** The method of the request. */
  readonly method: string
  readonly requestId: string
  readonly timing: RequestTiming
  /** Whether the connection is to be closed after it. */
  readonly closing: boolean
  /** Hears when the answer has come to its end: at once where it is whole. A stream that breaks off has none. */
  readonly onEnd: () => void
}

/** Headers that belong to one connection and are nobody's to pass on (RFC 9110, section 7.6.1). */
export const connectionHeaders: readonly string[] = Object.freeze([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Headers that the server alone sets. */
const ownHeaders: ReadonlySet<string> = new Set([...connectionHeaders, 'content-length'])

/** Statuses whose replies have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes the reply of what a function answered. Headers of the connection, and a length of the function's own, are
 * left out. A body that nobody will read is not sent, and who makes it is told so, lest he wait for a reader.
 *
 * @throws {RangeError} where the status is no server's to send.
 */
export function functionReply(answer: Answer, options: ReplyOptions): Response {
  const { status } = answer
  if (answer.headers === jsonReplyHead.headers && answer.body instanceof Uint8Array) {
    options.onEnd()
    return jsonReply(answer.body, options)
  }
  const body = wantedBody(answer, options.method)
  if (status < 200) throw new RangeError(`The function answered with the status ${status}; send 200 to 599.`)
  const headers = headersOf(answer, options)
  // A reply to HEAD says how its body would have come.
  if (body === null && answer.body instanceof ReadableStream && !bodilessStatuses.has(status)) {
    headers.set('transfer-encoding', 'chunked')
  }
  if (body instanceof ReadableStream) {
    return new Response(untilEnd(body, options.onEnd), { status, headers })
  }
  options.onEnd()
  return new Response(body, { status, headers })
}

/** Most replies are such, so it is made of as little as can be. */
function jsonReply(body: Uint8Array<ArrayBuffer>, { requestId, timing, closing }: ReplyOptions): Response {
  const headers = {
    'content-type': 'application/json',
    'x-request-id': requestId,
    'server-timing': serverTiming(timing),
  }
  return new Response(body, { headers: closing ? { ...headers, connection: 'close' } : headers })
}

function wantedBody({ status, body }: Answer, method: string): Answer['body'] | null {
  const bodiless = bodilessStatuses.has(status)
  if (!(body instanceof ReadableStream)) return bodiless ? null : body
  if (!bodiless && status >= 200 && method !== 'HEAD') return body
  void body.cancel()
  return null
}

function headersOf(answer: Answer, { requestId, timing, closing }: ReplyOptions): Headers {
  const headers = new Headers()
  for (const [name, value] of answer.headers) {
    if (!ownHeaders.has(name.toLowerCase())) headers.append(name, value)
  }
  headers.set('x-request-id', requestId)
  headers.append('server-timing', serverTiming(timing))
  if (closing) headers.set('connection', 'close')
  return headers
}

/** Passes a stream on to its end, no faster than it is read. */
function untilEnd(stream: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        onEnd()
        controller.close()
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
