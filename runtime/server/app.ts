import { cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'
import type { Manifest } from '../build/manifest.ts'
import { IsoplexError } from '../error/error.ts'
import { type AppIdentity, openApiDocument, routeList } from './document.ts'
import { createExchange, type ExchangeOptions, type ServedFunction } from './exchange.ts'
import { documentationPage, pagePolicy } from './page.ts'
import { problemReply, requestIdOf, routeNotFound } from './reply.ts'

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
  readonly exchange: ExchangeOptions
  readonly corsOrigins: readonly string[]
  readonly readiness: () => Readiness
}

/** The bodies are read by nobody but our own handlers, and with limits. */
const unparsed = { parse: 'none' } as const

/** An app as the server swaps it in: all that it does is answer requests. */
export interface App {
  fetch(request: Request): Response | Promise<Response>
}

/** Makes the routes of one manifest. A new manifest gets a new app. */
export function createApp(options: AppOptions): App {
  const app = new Elysia()
  app.onError(({ code, request, error }) => {
    if (code === 'NOT_FOUND') return notFound(request)
    const requestId = requestIdOf(request.headers)
    options.exchange.log.error('A request failed', { requestId, error })
    return problemReply(error, requestId)
  })
  if (options.corsOrigins.length > 0) {
    const any = options.corsOrigins.includes('*')
    app.use(cors({ origin: any ? true : [...options.corsOrigins], credentials: false, maxAge: 600 }))
  }
  addSystemRoutes(app, options)
  addSystemFallback(app)
  for (const served of options.functions) addFunction(app, served, options)
  return app
}

function addFunction(
  app: Elysia,
  served: ServedFunction,
  { identity, exchange, functions }: AppOptions,
): void {
  const { manifest } = served
  const handle = createExchange(served, exchange)
  const paths = [identity.routePrefix + manifest.path]
  if (served === rootFunction(functions)) paths.push(identity.routePrefix || '/')
  for (const path of new Set(paths)) {
    for (const method of manifest.methods) app.route(method, path, ({ request }) => handle(request), unparsed)
    app.all(path, ({ request }) => refuseMethod(request, manifest.methods), unparsed)
  }
}

/** The function that answers the prefix itself: the index, else the only inference function. */
function rootFunction(functions: readonly ServedFunction[]): ServedFunction | undefined {
  const index = functions.find(({ manifest }) => manifest.path === '/')
  const inference = functions.filter(({ manifest }) => manifest.kind === 'inference')
  return index ?? (inference.length === 1 ? inference[0] : undefined)
}

function refuseMethod(request: Request, methods: readonly string[]): Response {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
  if (request.method === 'OPTIONS')
    return new Response(null, { status: 204, headers: { allow: allow.join(', ') } })
  const message = `${request.method} is not answered here; ${methods.join(' or ')} is.`
  return problemReply(
    new IsoplexError('METHOD_NOT_ALLOWED', message, { details: { allow } }),
    requestIdOf(request.headers),
  )
}

function addSystemRoutes(app: Elysia, { manifest, identity, readiness }: AppOptions): void {
  const document = openApiDocument(manifest, identity)
  const routes = routeList(manifest, identity)
  app.get('/healthz', () => new Response('ok\n', { headers: { 'content-type': 'text/plain' } }), unparsed)
  app.get('/readyz', () => readyReply(readiness()), unparsed)
  app.get('/-/routes', () => Response.json(routes), unparsed)
  app.get('/-/openapi.json', () => Response.json(document), unparsed)
  app.get(
    '/-/docs',
    ({ request }) => pageReply(documentationPage(manifest, identity, originOf(request))),
    unparsed,
  )
}

/** Paths of the server that nothing answers are not for a function that takes all paths. */
function addSystemFallback(app: Elysia): void {
  for (const path of ['/-', '/-/*', '/healthz', '/readyz', '/metrics']) {
    app.all(path, ({ request }) => notFound(request), unparsed)
  }
}

function notFound(request: Request): Response {
  return problemReply(routeNotFound(pathnameOf(request)), requestIdOf(request.headers))
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

function originOf(request: Request): string {
  return new URL(request.url).origin
}

function pathnameOf(request: Request): string {
  return new URL(request.url).pathname
}
