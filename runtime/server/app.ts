import { cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'
import type { Manifest } from '../build/manifest.ts'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { type AppIdentity, openApiDocument, routeList } from './document.ts'
import { createExchange, type ExchangeOptions, type ServedFunction } from './exchange.ts'
import { documentationPage, pagePolicy } from './page.ts'
import { problemReply, refusalReply, requestIdOf, routeNotFound } from './reply.ts'

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

/** What a page of another origin may read of a reply besides the few headers that any page may. */
const exposedHeaders = ['x-request-id', 'x-tensor-type', 'x-tensor-dims', 'www-authenticate', 'retry-after']

/** The bodies are read by nobody but our own handlers, and with limits. */
const unparsed = { parse: 'none' } as const

/** An app as the server swaps it in: all that it does is answer requests. */
export interface App {
  fetch(request: Request): Response | Promise<Response>
}

/** Answers a request with an error before anybody has read its body. */
type Refuse = (request: Request, error: AnyIsoplexError) => Response

/** Makes the routes of one manifest. A new manifest gets a new app. */
export function createApp(options: AppOptions): App {
  const { log, bodyLimits } = options.exchange
  const refuse: Refuse = (request, error) => refusalReply(error, request, bodyLimits.maxBytes)
  const app = new Elysia()
  app.onError(({ code, request, error }) => {
    if (code === 'NOT_FOUND') return refuse(request, routeNotFound(request))
    const requestId = requestIdOf(request.headers)
    log.error('A request failed', { requestId, error })
    return problemReply(error, requestId, true)
  })
  const { corsOrigins: origins } = options
  if (origins.length > 0) {
    const origin = origins.includes('*') ? '*' : [...origins]
    app.use(cors({ origin, credentials: false, maxAge: 600, exposeHeaders: [...exposedHeaders] }))
  }
  addSystemRoutes(app, options, refuse)
  for (const served of options.functions) addFunction(app, served, options, refuse)
  return app
}

function addFunction(
  app: Elysia,
  served: ServedFunction,
  { identity, exchange, functions }: AppOptions,
  refuse: Refuse,
): void {
  const { manifest } = served
  const handle = createExchange(served, exchange)
  const paths = [identity.routePrefix + manifest.path]
  if (served === rootFunction(functions)) paths.push(identity.routePrefix || '/')
  for (const path of new Set(paths)) {
    for (const method of manifest.methods) app.route(method, path, ({ request }) => handle(request), unparsed)
    app.all(path, ({ request }) => otherMethod(request, manifest.methods, refuse), unparsed)
  }
}

/** The function that answers the prefix itself: the index, else the only inference function. */
function rootFunction(functions: readonly ServedFunction[]): ServedFunction | undefined {
  const index = functions.find(({ manifest }) => manifest.path === '/')
  const inference = functions.filter(({ manifest }) => manifest.kind === 'inference')
  return index ?? (inference.length === 1 ? inference[0] : undefined)
}

/** Answers a method that the path does not take; `OPTIONS` is told which it takes. */
function otherMethod(request: Request, methods: readonly string[], refuse: Refuse): Response {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
  if (request.method === 'OPTIONS')
    return new Response(null, { status: 204, headers: { allow: allow.join(', ') } })
  const message = `${request.method} is not answered here; ${methods.join(' or ')} is.`
  return refuse(request, new IsoplexError('METHOD_NOT_ALLOWED', message, { details: { allow } }))
}

function addSystemRoutes(app: Elysia, options: AppOptions, refuse: Refuse): void {
  const { manifest, identity, readiness } = options
  const document = openApiDocument(manifest, identity)
  const routes = routeList(manifest, identity)
  const pages: Readonly<Record<string, (request: Request) => Response>> = {
    '/healthz': () => new Response('ok\n', { headers: { 'content-type': 'text/plain' } }),
    '/readyz': () => readyReply(readiness()),
    '/-/routes': () => Response.json(routes),
    '/-/openapi.json': () => Response.json(document),
    '/-/docs': ({ url }) => pageReply(documentationPage(manifest, identity, new URL(url).origin)),
  }
  for (const [path, answer] of Object.entries(pages)) {
    app.get(path, ({ request }) => answer(request), unparsed)
    app.all(path, ({ request }) => otherMethod(request, ['GET'], refuse), unparsed)
  }
  // What of the server's own paths nothing answers is not for a function that takes all paths.
  for (const path of ['/-', '/-/*', '/metrics']) {
    app.all(path, ({ request }) => refuse(request, routeNotFound(request)), unparsed)
  }
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
