import type { FunctionLog } from '../define/context.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { mayExceed } from './body.ts'
import { problemReply, requestIdOf } from './reply.ts'
import type { Routes } from './routes.ts'

/** A request for one of the server's own paths. */
export interface SystemCall {
  readonly request: Request
  /** What stands in the path where its route has a name, decoded, in their order. Any text that somebody sent. */
  readonly parameters: readonly string[]
}

/** Answers requests for one method of a path. What it throws becomes a problem document. */
export type SystemHandler = (call: SystemCall) => Promise<Response>

/** A path of the server's own, with what answers there. `GET` answers `HEAD` as well. */
export interface SystemRoute {
  /** Static segments, and names after a colon: `/-/models/:name`. */
  readonly path: string
  readonly handlers: Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', SystemHandler>>>
}

/** Bodies of requests for these paths beyond this are read on purpose, or not at all. */
const unreadBytes = 64 * 1024

/** What the server's own routes share with those of functions. */
export interface SystemRouteSurroundings {
  readonly log: FunctionLog
  /** Keeps a request's connection open while the request waits, however long nothing moves on it. */
  readonly connections: {
    hold(request: Request): void
    release(request: Request): void
  }
}

/** Adds a path of the server's own. What goes wrong that is not ours is logged, without the URL: it may hold a grant. */
export function addSystemRoute(
  routes: Routes,
  { path, handlers }: SystemRoute,
  { log, connections }: SystemRouteSurroundings,
): void {
  const byMethod = new Map(Object.entries(handlers))
  routes.add(path, [...byMethod.keys()], async (request) => {
    const requestId = requestIdOf(request.headers)
    connections.hold(request)
    try {
      const handler = byMethod.get(request.method === 'HEAD' ? 'GET' : request.method)
      if (!handler) throw new Error(`${path} has no handler for a method that it takes`)
      const reply = await handler({ request, parameters: parametersOf(path, request.url) })
      reply.headers.set('x-request-id', requestId)
      if (isUnread(request)) reply.headers.set('connection', 'close')
      return reply
    } catch (error) {
      if (!isIsoplexError(error)) log.error('A request failed', { requestId, path, error })
      return problemReply(error, requestId, isUnread(request))
    } finally {
      connections.release(request)
    }
  })
}

/** Whether a large body may follow that nobody reads. */
function isUnread({ headers, bodyUsed }: Request): boolean {
  return !bodyUsed && mayExceed(headers, unreadBytes)
}

/** The server's own routes are matched by the raw path; so their parameters are cut out of it, and then decoded. */
function parametersOf(path: string, url: string): readonly string[] {
  const given = url.slice(url.indexOf('/', 'https://'.length)).split(/[?#]/, 1)[0]?.split('/') ?? []
  return path
    .split('/')
    .flatMap((segment, index) => (segment.startsWith(':') ? [decode(given[index] ?? '')] : []))
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new IsoplexError('REQUEST_MALFORMED', 'A percent sign in the path stands for no character.')
  }
}
