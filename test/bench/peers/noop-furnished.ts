/**
 * An Elysia route as somebody would furnish it for production: a request id, a token that is verified once and
 * then known, and the usual metrics. The token's secret is the first argument, as base64.
 */
import { Elysia } from 'elysia'
import { type JWTPayload, jwtVerify } from 'jose'
import { Counter, Histogram } from 'prom-client'

const secret = Uint8Array.fromBase64(process.argv[2] ?? '')
const known = new Map<string, JWTPayload>()
const requests = new Counter({
  name: 'requests_total',
  help: 'Requests by route and status.',
  labelNames: ['route', 'status'],
})
const seconds = new Histogram({ name: 'request_seconds', help: 'Time by route.', labelNames: ['route'] })

async function claimsOf(token: string): Promise<JWTPayload> {
  const claims = known.get(token) ?? (await jwtVerify(token, secret, { algorithms: ['HS256'] })).payload
  if ((claims.exp ?? 0) * 1_000 < Date.now()) throw new Error('The token has ended.')
  known.set(token, claims)
  return claims
}

const app = new Elysia()
  .post('/noop', async ({ body, headers, set, status }) => {
    const startedMs = performance.now()
    set.headers['x-request-id'] = headers['x-request-id'] ?? crypto.randomUUID()
    const claims = await claimsOf(headers.serve_multiplexed_model_id ?? '').catch(() => null)
    requests.inc({ route: '/noop', status: claims === null ? '401' : '200' })
    seconds.observe({ route: '/noop' }, (performance.now() - startedMs) / 1_000)
    return claims === null ? status(401) : body
  })
  .listen({ hostname: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${app.server?.port}\n`)
