import { describe, expect, it } from 'vitest'
import { createArtifactGrants } from '../../../runtime/auth/grant.ts'
import { createProjectIssuer } from '../../../runtime/auth/issuer.ts'
import { createProjectKey } from '../../../runtime/auth/project-key.ts'
import { createModelToken } from '../../../runtime/auth/token.ts'
import { createTokenVerifier } from '../../../runtime/auth/verifier.ts'
import type { GraphModelManifest } from '../../../runtime/build/graph-manifest.ts'
import type { FunctionManifest } from '../../../runtime/build/manifest.ts'
import type { ArtifactFile } from '../../../runtime/model/stored-artifact.ts'
import { createApp } from '../../../runtime/server/app.ts'
import { createModelAccess, type ModelSource } from '../../../runtime/server/model-access.ts'
import { createGrantRoute, type GrantOptions } from '../../../runtime/server/page/grant-route.ts'
import { sampleFunction } from '../../build/manifest-samples.ts'
import { recordOf, sourceOfEverything, surround } from '../served.ts'

const key = await createProjectKey(new Uint8Array(32).fill(1))
const grants = createArtifactGrants([key])
const nowMs = 1_000_000
const inPages = { kind: 'inference', model: {}, runs: ['server', 'browser'] } as const
const functions = [
  sampleFunction('read', inPages),
  sampleFunction('a/b', inPages),
  sampleFunction('open', { ...inPages, access: 'public', model: { default: 'bird' } }),
  sampleFunction('loopback', { ...inPages, model: { default: 'bird' } }),
  sampleFunction('server', { kind: 'inference', model: {} }),
  sampleFunction('edge', { runs: ['server', 'browser'] }),
  graphOf('both', [
    { function: 'read', asked: 'wing', default: null, access: 'token' },
    { function: 'open', asked: null, default: 'bird', access: 'public' },
  ]),
  graphOf('bare', []),
]

function graphOf(name: string, models: readonly GraphModelManifest[]): FunctionManifest {
  return sampleFunction(name, {
    kind: 'graph',
    runs: ['server', 'browser'],
    graph: { nodes: [], edges: [], models },
  })
}

/** A source whose models have these fields. */
function sourceOf(fields: Readonly<Record<string, unknown>>, versions = ['1']): ModelSource {
  return sourceOfEverything({
    find: async ({ modelId, tenant }) => ({
      tenant,
      versions: versions.map((version) => ({
        weight: 1,
        record: { ...recordOf(modelId, version), fields },
      })),
    }),
  })
}

interface GrantServer {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  readonly located: readonly string[]
  readonly log: readonly unknown[]
}

function serve(
  options: Partial<Omit<GrantOptions, 'authorizer'>> & {
    readonly source?: ModelSource
    readonly trustsLoopback?: boolean
    readonly corsOrigins?: readonly string[]
  } = {},
): GrantServer {
  const { source = sourceOf({ browser: true, labels: ['a'] }), trustsLoopback = false } = options
  const located: string[] = []
  const findArtifact = async (digest: string): Promise<ArtifactFile> => {
    located.push(digest)
    return { digest, path: '/secret/place', sizeBytes: 7 }
  }
  const { exchange, log } = surround()
  const route = createGrantRoute(functions, {
    authorizer: {
      verifier: createTokenVerifier({ issuers: [createProjectIssuer([key])] }),
      models: createModelAccess(source),
      trustsLoopback,
    },
    registry: { findArtifact },
    grants,
    markedOnly: true,
    now: () => nowMs,
    ...options,
  })
  const app = createApp({
    submissions: null,
    manifest: { functions, broken: [] },
    functions: [],
    identity: { appName: 'app@1.0.0', routePrefix: '' },
    exchange,
    corsOrigins: options.corsOrigins ?? [],
    readiness: () => ({ ready: true }),
    systemRoutes: [route],
  })
  return {
    located,
    log,
    get: async (path, headers = {}) =>
      await app.fetch(new Request(`http://localhost:3000/-/grants/${path}`, { headers })),
  }
}

const token = await createModelToken(key, { model: 'bird', tenant: 'forest', expiresInSeconds: 600 })
const nested = await createModelToken(key, { model: 'nest', tenant: 'forest', expiresInSeconds: 600 })
const bearing = { serve_multiplexed_model_id: token }

describe('a grant', () => {
  it('tells the model that answers, and links its artifact, and says nothing of this host', async () => {
    const { get, located } = serve()
    const reply = await get('read', bearing)
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    const text = await reply.text()
    const { digest } = recordOf('bird').artifact
    expect(JSON.parse(text)).toEqual({
      key: 'embedded//bird@1',
      id: 'bird',
      version: '1',
      fields: { browser: true, labels: ['a'], tenant: 'forest' },
      digest,
      sizeBytes: 7,
      url: expect.stringMatching(`^/-/registry/artifacts/${digest}\\?grant=`),
      expiresAtMs: nowMs + 900_000,
    })
    expect(text).not.toMatch(/\/models"|secret/)
    expect(located).toEqual([digest])
    const grant = new URL(JSON.parse(text).url, 'http://localhost').searchParams.get('grant') ?? ''
    expect(grants.check(String(digest), grant, nowMs)).toBe(true)
  })

  it('is asked for by the name of the function, whatever is in it', async () => {
    expect((await serve().get('a%2Fb', bearing)).status).toBe(200)
  })

  it('of a graph has the models that its functions are asked for, which its token need not name', async () => {
    const { get, located } = serve({ source: sourceOf({ browser: true }) })
    const reply = await get('both', { serve_multiplexed_model_id: nested })
    const { parts } = await reply.json()
    expect(parts).toMatchObject([
      { function: 'read', asked: 'wing', model: { id: 'wing', url: expect.stringContaining('?grant=') } },
      { function: 'open', asked: null, model: { id: 'nest', url: expect.stringContaining('?grant=') } },
    ])
    expect(located).toHaveLength(2)
    expect(await (await get('bare', bearing)).json()).toEqual({ parts: [] })
  })

  it('of a graph is refused as a call of it is, and where one of the models is not for pages', async () => {
    const { get } = serve()
    expect({ status: (await get('both')).status }).toEqual({ status: 401 })
    const unmarked = serve({ source: sourceOf({}) })
    const reply = await unmarked.get('both', bearing)
    expect(await reply.json()).toMatchObject({ status: 403, code: 'MODEL_FORBIDDEN' })
    expect(unmarked.located).toEqual([])
  })

  it('is of the version that a call with this sticky key gets', async () => {
    const { get } = serve({ source: sourceOf({ browser: true }, ['1', '2']) })
    const versionOf = async (sticky: string): Promise<string> =>
      (await (await get('read', { ...bearing, 'x-sticky-key': sticky })).json()).version
    const sticky = Array.from({ length: 40 }, (_, index) => `user ${index}`)
    const first = await Promise.all(sticky.map(versionOf))
    expect(new Set(first)).toEqual(new Set(['1', '2']))
    expect(await Promise.all(sticky.map(versionOf))).toEqual(first)
  })

  it.each([
    ['nowhere', 'There is no function "nowhere"'],
    ['server', 'runs on servers only'],
    ['edge', 'answers without a model'],
    ['%ff', null],
    ['__proto__', 'There is no function'],
  ])('is refused for %s', async (name, words) => {
    const reply = await serve().get(name, bearing)
    const { code, detail } = await reply.json()
    expect({ status: reply.status, code }).toEqual(
      words === null ? { status: 400, code: 'REQUEST_MALFORMED' } : { status: 404, code: 'ROUTE_NOT_FOUND' },
    )
    expect(detail).toContain(words ?? '')
  })

  it('wants the token that a call wants', async () => {
    const { get } = serve()
    for (const name of ['read', 'loopback']) {
      const reply = await get(name)
      expect({ status: reply.status, code: (await reply.json()).code }).toEqual({
        status: 401,
        code: 'TOKEN_MISSING',
      })
      expect(reply.headers.has('www-authenticate')).toBe(true)
    }
    expect((await get('read', { authorization: 'Bearer x.y.z' })).status).toBe(401)
    expect((await get('open')).status).toBe(200)
    expect((await serve({ trustsLoopback: true }).get('loopback')).status).toBe(200)
  })

  it.each([{}, { browser: false }, { browser: 'true' }, { browser: 1 }])(
    'is refused for a model with the fields %j, unless pages may have all',
    async (fields) => {
      const { get, located } = serve({ source: sourceOf(fields) })
      const reply = await get('read', bearing)
      expect(reply.status).toBe(403)
      expect(await reply.json()).toMatchObject({
        code: 'MODEL_FORBIDDEN',
        model: 'bird',
        detail: expect.stringContaining('is not given to browsers'),
      })
      expect(located).toEqual([])
      const all = serve({ source: sourceOf(fields), markedOnly: false })
      expect((await all.get('read', bearing)).status).toBe(200)
    },
  )

  it('is refused where the artifact is gone', async () => {
    const reply = await serve({ registry: { findArtifact: async () => null } }).get('read', bearing)
    expect({ status: reply.status, json: await reply.json() }).toMatchObject({
      status: 502,
      json: { code: 'ARTIFACT_BROKEN', reason: 'missing' },
    })
  })

  it('tells no log of tokens and grants, not even where something breaks', async () => {
    const registry = { findArtifact: () => Promise.reject(new Error('broken')) }
    const { get, log } = serve({ registry })
    expect((await get('read', bearing)).status).toBe(500)
    expect(log).toHaveLength(1)
    expect(JSON.stringify(log)).not.toContain(token.slice(-20))
  })
})

describe('a page of another origin', () => {
  const corsOrigins = ['https://app.example']

  it('may ask with a token where its origin is listed', async () => {
    const { get } = serve({ corsOrigins })
    const { headers } = await get('read', { ...bearing, origin: 'https://app.example' })
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
    const exposed = headers.get('access-control-expose-headers')
    for (const name of ['etag', 'accept-ranges', 'content-range']) expect(exposed).toContain(name)
  })

  it('may read nothing where it is not', async () => {
    const { get } = serve({ corsOrigins })
    const { headers } = await get('read', { ...bearing, origin: 'https://evil.example' })
    expect(headers.has('access-control-allow-origin')).toBe(false)
  })
})
