import { cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'
import type { Manifest } from '../build/manifest.ts'
import type { AnyIsoplexError } from '../error/error.ts'
import { type AppIdentity, openApiDocument, routeList } from './document.ts'
import { createExchange, type ExchangeOptions, type ServedFunction } from './exchange.ts'
import { createSubmission, type SubmissionOptions } from './job/submission.ts'
import { documentationPage, pagePolicy } from './page.ts'
import { problemReply, refusalReply, requestIdOf, routeNotFound } from './reply.ts'
import { type Answering, type Refuse, Routes } from './routes.ts'
import { addSystemRoute, type SystemRoute } from './system-route.ts'

/** Whether the server takes requests, and what it would tell an operator of itself. */
export interface Readiness {
  readonly ready: boolean
  readonly [fact: string]: unknown
}

/** What an app is made of. */
export interface AppOptions {
  readonly manifest: Manifest
  readonly functions: readonly ServedFunction[]
  readonly identity: AppIdentity
  /** The function that answers the prefix itself. @default the index, else the only inference function */
  readonly entrypoint?: string | null
  readonly exchange: ExchangeOptions
  readonly corsOrigins: readonly string[]
  readonly readiness: () => Readiness
  /** Further paths of the server's own: `/metrics`, and below `/-/` the administration and the registry for others. */
  readonly systemRoutes: readonly SystemRoute[]
  /** Where actions hand their jobs over; `null` serves no actions. */
  readonly submissions: SubmissionOptions | null
  /** Why there is no function to answer. @default there is, or the route is wrong */
  readonly unserved?: () => AnyIsoplexError
  /** Answers requests for a function. @default what runs it */
  readonly answering?: (served: ServedFunction) => Answering
}

/** What a page of another origin may read of a reply besides the few headers that any page may. */
const exposedHeaders = [
  'x-request-id',
  'server-timing',
  'x-tensor-type',
  'x-tensor-dims',
  'www-authenticate',
  'retry-after',
  'etag',
  'accept-ranges',
  'content-range',
  'location',
  'preference-applied',
  'idempotency-replayed',
]

/** An app as the server swaps it in: all that it does is answer requests. */
export interface App {
  fetch(request: Request): Response | Promise<Response>
}

/** Makes the routes of one manifest. A new manifest gets a new app. */
export function createApp(options: AppOptions): App {
  const { log, bodyLimits } = options.exchange
  const refuse: Refuse = (request, error) => refusalReply(error, request, bodyLimits.maxBytes)
  const app = new Elysia()
  app.onError(({ code, request, error }) => {
    if (code === 'NOT_FOUND') return refuse(request, options.unserved?.() ?? routeNotFound(request))
    const requestId = requestIdOf(request.headers)
    log.error('A request failed', { requestId, error })
    return problemReply(error, requestId, true)
  })
  const { corsOrigins: origins } = options
  if (origins.length > 0) {
    const origin = origins.includes('*') ? '*' : [...origins]
    app.use(cors({ origin, credentials: false, maxAge: 600, exposeHeaders: [...exposedHeaders] }))
  }
  const methods = options.functions.flatMap(({ manifest }) => manifest.methods)
  const ownMethods = options.systemRoutes.flatMap(({ handlers }) => Object.keys(handlers))
  const routes = new Routes(app, refuse, ['GET', ...ownMethods, ...methods])
  addSystemRoutes(routes, options)
  for (const served of options.functions) addFunction(routes, served, options)
  return app
}

function addFunction(routes: Routes, served: ServedFunction, options: AppOptions): void {
  const { identity } = options
  const { manifest, mount = null } = served
  const handle = createAnswering(served, options)
  if (!handle) return
  const root = rootFunction(options)
  // What is named for the prefix comes before an index.
  const paths = manifest.path === '/' && root !== served ? [] : [identity.routePrefix + manifest.path]
  if (served === root) paths.push(identity.routePrefix || '/', `${identity.routePrefix}/`)
  if (mount !== null) paths.push(`${identity.routePrefix}${mount === '/' ? '' : mount}/*`)
  for (const path of new Set(paths)) routes.add(path, manifest.methods, handle)
}

function createAnswering(
  served: ServedFunction,
  { exchange, submissions, answering }: AppOptions,
): Answering | null {
  if (answering) return answering(served)
  if (served.manifest.kind !== 'action') return createExchange(served, exchange)
  return submissions && createSubmission(served, exchange, submissions)
}

/** The function that answers the prefix itself: the one that is named, else the index, else the only inference function. */
function rootFunction({ functions, entrypoint = null }: AppOptions): ServedFunction | undefined {
  if (entrypoint !== null) return functions.find(({ deployment }) => deployment.name === entrypoint)
  const index = functions.find(({ manifest }) => manifest.path === '/')
  const inference = functions.filter(({ manifest, deployment }) => {
    return manifest.kind === 'inference' && deployment.name === deployment.functionName
  })
  return index ?? (inference.length === 1 ? inference[0] : undefined)
}

function addSystemRoutes(routes: Routes, options: AppOptions): void {
  const { manifest, identity, readiness, exchange, systemRoutes } = options
  const document = openApiDocument(manifest, identity)
  const list = routeList(manifest, identity)
  const pages: Readonly<Record<string, (request: Request) => Response>> = {
    '/healthz': () => new Response('ok\n', { headers: { 'content-type': 'text/plain' } }),
    '/readyz': () => readyReply(readiness()),
    '/-/routes': () => Response.json(list),
    '/-/openapi.json': () => Response.json(document),
    '/-/docs': ({ url }) => pageReply(documentationPage(manifest, identity, new URL(url).origin)),
  }
  for (const [path, answer] of Object.entries(pages)) routes.add(path, ['GET'], answer)
  for (const route of systemRoutes) addSystemRoute(routes, route, exchange)
  // What of the server's own paths nothing answers is not for a function that takes all paths.
  const own = new Set(systemRoutes.map(({ path }) => path))
  for (const path of ['/-', '/-/*', '/metrics']) if (!own.has(path)) routes.addNothing(path)
}

function readyReply(readiness: Readiness): Response {
  return Response.json(readiness, { status: readiness.ready ? 200 : 503 })
}

function pageReply(page: string): Response {
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pagePolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
  })
}
