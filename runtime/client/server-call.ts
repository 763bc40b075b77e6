import type { ErrorCode } from '../error/codes.ts'
import { isIsoplexError } from '../error/error.ts'
import type { RouteFacts } from '../page/route-list.ts'
import { orAborted } from '../runner/abort-race.ts'
import { acceptedReplies, type ReplyValue, readReply } from '../runner/reply-value.ts'
import type { Ran } from './answered.ts'
import { type Errand, targetOf } from './errand.ts'
import { exchangeOnce, type HttpRequest, type ReplyReader } from './http-transport.ts'
import { type Outcome, withRetries } from './retry.ts'

/** What a place made of a call. */
export interface PlaceAnswer extends ReplyValue {
  readonly ran: Omit<Ran, 'tookMs' | 'fellBack'>
}

/** A reply that was read, and its headers. */
interface HttpReply extends ReplyValue {
  readonly headers: Headers
}

/** Codes of a path that nothing answers, or no longer in this way. */
const movedCodes: ReadonlySet<ErrorCode> = new Set(['ROUTE_NOT_FOUND', 'METHOD_NOT_ALLOWED'])

/** The facts of the function that a call is for, as its server lists them. */
export function findRoute({ client, name, deadline }: Errand): Promise<RouteFacts> {
  const find = async (): Promise<Outcome<RouteFacts>> => {
    try {
      return { value: await orAborted(client.routes.find(name), deadline.signal) }
    } catch (error) {
      if (deadline.signal.aborted || !isIsoplexError(error)) throw error
      return { error, retryAfterMs: null }
    }
  }
  return withRetries(find, { retries: client.retries, deadline })
}

/** Answers a call over HTTP: again where that may help, and where the function has moved meanwhile. */
export async function answerOnServer(errand: Errand, facts: RouteFacts): Promise<PlaceAnswer> {
  try {
    return await send(errand, facts)
  } catch (error) {
    if (!isIsoplexError(error) || !movedCodes.has(error.code)) throw error
    const moved = await orAborted(errand.client.routes.findMoved(facts), errand.deadline.signal)
    if (!moved) throw error
    return send(errand, moved)
  }
}

async function send(errand: Errand, facts: RouteFacts): Promise<PlaceAnswer> {
  const { client, call, deadline } = errand
  // What became of a request that failed is not known, so only what may run twice is sent twice.
  const mayRepeat = facts.idempotent || call.idempotencyKey !== undefined
  const limits = { retries: mayRepeat ? client.retries : 0, deadline }
  const exchange = async (token: string | null): Promise<HttpReply> => {
    const request = requestOf(errand, facts, token)
    return withRetries(() => exchangeOnce(client.fetch, request, errand, readHttpReply), limits)
  }
  const reply = await orAborted(client.tokens.use(exchange), deadline.signal)
  return { value: reply.value, streams: reply.streams, ran: ranOf(reply, errand) }
}

const readHttpReply: ReplyReader<HttpReply> = async (response, reading) => ({
  ...(await readReply(response, reading)),
  headers: response.headers,
})

function requestOf(errand: Errand, facts: RouteFacts, token: string | null): HttpRequest {
  const { client, call, body, requestId } = errand
  const { method, url } = targetOf(errand, facts)
  return {
    method,
    url: client.baseUrl + url,
    headers: {
      accept: acceptedReplies,
      'x-request-id': requestId,
      ...(body ? { 'content-type': body.contentType } : {}),
      ...(token === null ? {} : { serve_multiplexed_model_id: token }),
      ...(call.stickyKey === undefined ? {} : { 'x-sticky-key': call.stickyKey }),
      ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
    },
    body: body?.bytes ?? null,
  }
}

function ranOf({ headers }: HttpReply, { requestId }: Errand): PlaceAnswer['ran'] {
  const timing = headers.get('server-timing') ?? ''
  return {
    where: 'server',
    provider: describedIn(timing, 'provider'),
    model: modelIn(timing),
    requestId: headers.get('x-request-id') ?? requestId,
    queueMs: durationIn(timing, /\bqueue;dur=([\d.]+)/),
    inferMs: durationIn(timing, /\binfer;dur=([\d.]+)/),
    reason: null,
  }
}

/** A duration of the header `Server-Timing`. */
function durationIn(timing: string, pattern: RegExp): number | null {
  const [, text] = pattern.exec(timing) ?? []
  return text === undefined ? null : Number(text)
}

/** A description of the header `Server-Timing`; what it cannot hold is percent-encoded there. */
function describedIn(timing: string, name: string): string | null {
  const [, text] = new RegExp(`\\b${name};desc="([^"]*)"`).exec(timing) ?? []
  try {
    return text === undefined ? null : decodeURIComponent(text)
  } catch {
    return null
  }
}

function modelIn(timing: string): Ran['model'] {
  const id = describedIn(timing, 'model')
  const version = describedIn(timing, 'version')
  return id === null || version === null ? null : { id, version }
}
