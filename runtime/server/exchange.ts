import type { FunctionManifest } from '../build/manifest.ts'
import type { FunctionLog } from '../define/context.ts'
import { takesMediaType } from '../define/schema.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { Deployment } from '../replica/deployment.ts'
import type { RequestHead } from '../replica/message.ts'
import type { Scheduler } from '../replica/scheduler.ts'
import type { Answer } from '../replica/ticket.ts'
import { matchPattern } from '../route/match.ts'
import { parseRoute } from '../route/pattern.ts'
import { type Authorizer, authorize } from './authorization.ts'
import { type BodyBudget, type BodyLimits, mayExceed, readBody } from './body.ts'
import { problemReply, requestIdOf } from './reply.ts'

/** Everything that requests for functions share. */
export interface ExchangeOptions {
  readonly authorizer: Authorizer
  readonly scheduler: Pick<Scheduler, 'submit'>
  readonly budget: BodyBudget
  readonly bodyLimits: BodyLimits
  /** The prefix of all routes; empty for none. */
  readonly routePrefix: string
  readonly log: FunctionLog
  /** Keeps a request's connection open while the request waits, however long nothing moves on it. */
  readonly connections: {
    hold(request: Request): void
    release(request: Request): void
  }
  /** Whether connections are to be closed after their reply, because the server is about to stop. */
  readonly closing: () => boolean
}

/** A function that is served. */
export interface ServedFunction {
  readonly manifest: FunctionManifest
  readonly deployment: Deployment
}

/** Headers that belong to one connection and are nobody's to pass on (RFC 9110, section 7.6.1). */
const connectionHeaders = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const

/** Headers that functions do not see: those of the connection, and those that carry credentials. */
const withheldHeaders: ReadonlySet<string> = new Set([
  ...connectionHeaders,
  'authorization',
  'proxy-authorization',
  'cookie',
  'serve_multiplexed_model_id',
  'serve-multiplexed-model-id',
])

/** Statuses whose replies have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes the handler of a function's requests: authenticate, authorize and resolve, read the body's bytes,
 * queue, reply. It never rejects: what goes wrong becomes a problem document.
 */
export function createExchange(
  { manifest, deployment }: ServedFunction,
  options: ExchangeOptions,
): (request: Request) => Promise<Response> {
  const limits: BodyLimits = {
    ...options.bodyLimits,
    ...(manifest.maxBodyBytes === undefined ? {} : { maxBytes: manifest.maxBodyBytes }),
  }
  const readsBody = manifest.accepts.length > 0
  const pattern = parseRoute(manifest.route, manifest.file)
  const release = (request: Request): void => options.connections.release(request)
  return async (request) => {
    const requestId = requestIdOf(request.headers)
    let bodyMayFollow = true
    try {
      const { principal, model } = await authorize(request.headers, manifest, options.authorizer)
      if (readsBody) assertMediaType(request.headers, manifest)
      const head = headOf(request, requestId, principal)
      const body = await readBody(request, limits, options.budget)
      bodyMayFollow = false
      options.connections.hold(request)
      let streams = false
      try {
        const { signal } = request
        const answer = await options.scheduler.submit({ deployment, model, head, body: body.bytes, signal })
        const wanted = wantedBody(answer, request.method)
        streams = wanted instanceof ReadableStream
        return replyOf(answer, {
          body: wanted instanceof ReadableStream ? untilEnd(wanted, () => release(request)) : wanted,
          requestId,
          closing: options.closing(),
        })
      } finally {
        body.release()
        // A stream may be silent for long, so its connection is held to its end.
        if (!streams) release(request)
      }
    } catch (error) {
      // What is ours has been logged where it happened, if it belongs into a log.
      if (!isIsoplexError(error))
        options.log.error('A request failed', { requestId, function: manifest.name, error })
      const closing = options.closing() || (bodyMayFollow && mayExceed(request.headers, limits.maxBytes))
      return problemReply(error, requestId, closing)
    }
  }

  function headOf(request: Request, requestId: string, principal: string): RequestHead {
    const { headers, method } = request
    const url = request.url.slice(request.url.indexOf('/', 'https://'.length))
    return {
      requestId,
      principal,
      method,
      url,
      params: parametersOf(url),
      contentType: headers.get('content-type'),
      accept: headers.get('accept'),
      // An inference function computes on its input; copying every header to it would be work for nothing.
      headers: manifest.kind === 'function' ? visibleHeaders(headers) : [],
    }
  }

  function parametersOf(url: string): Readonly<Record<string, string>> {
    if (pattern.parameters.length === 0) return {}
    const pathname = url.slice(options.routePrefix.length).split('?', 1)[0] ?? ''
    return matchPattern(pattern, pathname) ?? {}
  }
}

function visibleHeaders(headers: Headers): (readonly [string, string])[] {
  return [...headers].filter(([name]) => !withheldHeaders.has(name))
}

/** Refuses before the body is read what the function could not read. @throws `MEDIA_TYPE_UNSUPPORTED` */
function assertMediaType(headers: Headers, { accepts, name }: FunctionManifest): void {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase()
  if (encoding && encoding !== 'identity') {
    throw unsupported(`Bodies encoded as ${encoding.slice(0, 64)} are not taken; send it as it is.`, accepts)
  }
  const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (!mediaType || takesMediaType(accepts, mediaType) || mediaType.endsWith('+json')) return
  throw unsupported(`"${name}" takes ${accepts.join(' or ')}; got ${mediaType.slice(0, 128)}.`, accepts)
}

function unsupported(message: string, accepted: readonly string[]): IsoplexError<'MEDIA_TYPE_UNSUPPORTED'> {
  return new IsoplexError('MEDIA_TYPE_UNSUPPORTED', message, { details: { accepted } })
}

/** The body that is to be sent, if any; who makes one that nobody wants is told so, lest he wait for a reader. */
function wantedBody({ status, body }: Answer, method: string): Answer['body'] | null {
  const bodiless = bodilessStatuses.has(status)
  if (!(body instanceof ReadableStream)) return bodiless ? null : body
  if (!bodiless && status >= 200 && method !== 'HEAD') return body
  void body.cancel()
  return null
}

/** Passes a stream on, and tells when it has come to its end; where it breaks off, so does the connection. */
function untilEnd(stream: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        ended()
        controller.close()
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function replyOf(
  answer: Answer,
  { body, requestId, closing }: { body: Answer['body'] | null; requestId: string; closing: boolean },
): Response {
  const { status } = answer
  if (status < 200) throw new RangeError(`The function answered with the status ${status}; send 200 to 599.`)
  const headers = new Headers(answer.headers.map(([name, value]) => [name, value]))
  for (const name of connectionHeaders) headers.delete(name)
  // It follows from the body, whatever the function said.
  headers.delete('content-length')
  headers.set('x-request-id', requestId)
  if (closing) headers.set('connection', 'close')
  // A reply to HEAD says how its body would have come.
  const unsent = body === null && answer.body instanceof ReadableStream && !bodilessStatuses.has(status)
  if (unsent) headers.set('transfer-encoding', 'chunked')
  return new Response(body, { status, headers })
}
