import type { Credentials } from '../auth/credentials.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import type { FunctionLog } from '../define/context.ts'
import { isIsoplexError } from '../error/error.ts'
import type { Caller } from '../replica/caller.ts'
import type { Deployment } from '../replica/deployment.ts'
import type { Scheduler } from '../replica/scheduler.ts'
import type { Tallies } from '../replica/tallies.ts'
import { freshTiming, type Work } from '../replica/ticket.ts'
import { type Authorizer, authorize, readStickyKey } from './authorization.ts'
import { type BodyBudget, type BodyLimits, mayExceed, readBody } from './body.ts'
import { ConnectionHolds, type Connections } from './connection-holds.ts'
import { functionReply } from './function-reply.ts'
import { assertMediaType } from './media-type.ts'
import { problemReply, requestIdOf } from './reply.ts'
import { createHeadReader } from './request-head.ts'

/** Everything that requests for functions share. */
export interface ExchangeOptions {
  readonly authorizer: Authorizer
  readonly scheduler: Pick<Scheduler, 'submit'>
  readonly budget: BodyBudget
  readonly bodyLimits: BodyLimits
  /** The prefix of all routes; empty for none. */
  readonly routePrefix: string
  readonly log: FunctionLog
  /** Where requests are counted that never come to the scheduler. */
  readonly tallies: Pick<Tallies, 'rejections'>
  /** Keeps a request's connection open while the request waits, however long nothing moves on it. */
  readonly connections: Connections
  /** Whether connections are to be closed after their reply, because the server is about to stop. */
  readonly closing: () => boolean
}

/** A function that is served. */
export interface ServedFunction {
  readonly manifest: FunctionManifest
  readonly deployment: Deployment
  /** The path below which all is answered, without the prefix of the app; `null` where the route alone is. @default null */
  readonly mount?: string | null
}

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
  const headOf = createHeadReader(manifest, options.routePrefix)
  const holds = new ConnectionHolds(options.connections)
  return async (request) => {
    const requestId = requestIdOf(request.headers)
    const timing = freshTiming()
    let bodyMayFollow = true
    let submitted = false
    try {
      const { principal, model, credentials } = await authorize(request.headers, manifest, options.authorizer)
      if (readsBody) assertMediaType(request.headers, manifest)
      const head = headOf(request, requestId, principal)
      const body = await readBody(request, limits, options.budget)
      bodyMayFollow = false
      const hold = holds.wait(request)
      const end = (): void => holds.end(hold)
      try {
        const { bytes } = body
        submitted = true
        const answer = await options.scheduler.submit(
          workOf({ deployment, model, head, body: bytes, timing }, { request, credentials }),
        )
        if (answer.body instanceof ReadableStream) holds.stream(hold)
        const { method } = head
        return functionReply(answer, { method, requestId, timing, closing: options.closing(), onEnd: end })
      } catch (error) {
        end()
        throw error
      } finally {
        body.release()
      }
    } catch (error) {
      // What is ours has been logged where it happened, if it belongs into a log.
      if (!isIsoplexError(error))
        options.log.error('A request failed', { requestId, function: manifest.name, error })
      if (!submitted) options.tallies.rejections.add(isIsoplexError(error) ? error.code : 'INTERNAL')
      const closing = options.closing() || (bodyMayFollow && mayExceed(request.headers, limits.maxBytes))
      return problemReply(error, requestId, closing, timing)
    }
  }
}

/** What of a request is the scheduler's to keep. */
type RequestFacts = Required<Pick<Work, 'deployment' | 'model' | 'head' | 'body' | 'timing'>>

/** A request, and what the token says with which it came; `null` where none was sent. */
interface Sender {
  readonly request: Request
  readonly credentials: Credentials | null
}

const noCallers: Caller['chain'] = Object.freeze([])

/** What the scheduler gets of a request. */
export function workOf(
  { deployment, model, head, body, timing }: RequestFacts,
  { request, credentials }: Sender,
): Work {
  return {
    deployment,
    model,
    head,
    body,
    timing,
    get caller() {
      return { credentials, stickyKey: readStickyKey(request.headers), chain: noCallers }
    },
    // To ask for the signal makes it, which costs more than much else does, so only what waits has one.
    get signal() {
      return request.signal
    },
  }
}
