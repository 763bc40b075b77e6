import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend, ModelQuestion } from '../../runtime/model/backend.ts'
import { createSynapseBackend, type SynapseBackendOptions } from '../../runtime/model/synapse-backend.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { rejectionOf } from './scratch.ts'

const model = {
  id: 34,
  name: 'digits',
  file: 'https://files.example/34.zip?sig=1',
  version: 3,
  labels: ['a'],
}
const caller: ModelQuestion = { modelId: '34', tenant: null, accessToken: 'caller-token', proven: false }

const backendOf = (server: HostileServer, options: Partial<SynapseBackendOptions> = {}): Backend =>
  createSynapseBackend({ url: server.url, timeoutMs: 10_000, ...options })

describe('a Synapse backend', () => {
  let server: HostileServer
  beforeAll(async () => {
    server = await startHostileServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const findAfter = (
    behaviour: HostileBehaviour,
    options: Partial<SynapseBackendOptions> = {},
    question: Partial<ModelQuestion> = {},
  ) => {
    server.reply('/models/34/', behaviour)
    return backendOf(server, options).find({ ...caller, ...question })
  }

  it('is asked as the SDK asks it, and its description becomes a record', async () => {
    server.reply('/api/models/34/', { kind: 'json', value: { ...model, path: '/etc', tenant: 'acme' } })
    const backend = createSynapseBackend({ url: `${server.url}/api//` })
    const found = await backend.find({ ...caller, tenant: 'acme' })
    expect(found).toMatchObject({
      tenant: 'acme',
      versions: [
        {
          weight: 1,
          record: {
            id: '34',
            version: '3',
            artifact: { digest: null, url: model.file, checksum: null, sizeBytes: null },
            fields: { name: 'digits', labels: ['a'], tenant: 'acme' },
          },
        },
      ],
    })
    expect(Object.keys(found.versions[0]?.record.fields ?? {})).toEqual(['name', 'labels', 'tenant'])
    const { method, headers } = server.requests.at(-1) ?? expect.fail('nothing was asked')
    expect(method).toBe('GET')
    expect(headers.get('authorization')).toBe('Token caller-token')
    expect(headers.get('synapse-tenant')).toBe('Token acme')
    expect(headers.has('synapse-access-token')).toBe(false)
    expect(backend.name).toBe(`synapse:127.0.0.1:${server.port}/api`)
  })

  it('gives checksum, size, a relative file and a stamp that changes with the description', async () => {
    const value = { file: '/media/a.zip', checksum: `sha256:${'AB'.repeat(32)}`, size: 7 }
    const [first] = (await findAfter({ kind: 'json', value })).versions
    expect(first?.record).toMatchObject({
      id: '34',
      version: null,
      artifact: {
        url: `${server.url}/media/a.zip`,
        checksum: { algorithm: 'sha256', value: 'ab'.repeat(32) },
        sizeBytes: 7,
      },
    })
    const [same] = (await findAfter({ kind: 'json', value })).versions
    const [other] = (await findAfter({ kind: 'json', value: { ...value, note: 'x' } })).versions
    expect(same?.record.artifact.stamp).toBe(first?.record.artifact.stamp)
    expect(other?.record.artifact.stamp).not.toBe(first?.record.artifact.stamp)
  })

  it('confirms a tenant only where the description names the claimed one', async () => {
    for (const [said, claimed, confirmed] of [
      ['acme', 'acme', 'acme'],
      ['acme', 'other', null],
      ['acme', null, null],
      [undefined, 'acme', null],
      [7, '7', '7'],
    ] as const) {
      const found = await findAfter(
        { kind: 'json', value: { ...model, tenant: said } },
        {},
        { tenant: claimed },
      )
      expect(found.tenant).toBe(confirmed)
    }
  })

  it.each([
    [401, { code: 'TOKEN_INVALID', details: { reason: 'refused' } }],
    [403, { code: 'MODEL_FORBIDDEN', details: { model: '34' } }],
    [404, { code: 'MODEL_NOT_FOUND', details: { model: '34' } }],
    [400, { code: 'BACKEND_BROKEN' }],
    [410, { code: 'BACKEND_BROKEN' }],
    [204, { code: 'BACKEND_BROKEN' }],
    [304, { code: 'BACKEND_BROKEN' }],
    [500, { code: 'BACKEND_BROKEN' }],
    [507, { code: 'BACKEND_BROKEN' }],
  ])('answers %i with an error of its own', async (status, error) => {
    await expect(findAfter({ kind: 'reply', status })).rejects.toMatchObject(error)
  })

  it.each([
    ['HTML', { kind: 'reply', headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['nothing', { kind: 'reply', body: '' }],
    ['a list', { kind: 'json', value: [model] }],
    ['null', { kind: 'json', value: null }],
    ['no file', { kind: 'json', value: { id: 34 } }],
    ['null for a file', { kind: 'json', value: { ...model, file: null } }],
    ['a number for a file', { kind: 'json', value: { ...model, file: 7 } }],
    ['no URL for a file', { kind: 'json', value: { ...model, file: 'https://[' } }],
    ['another model', { kind: 'json', value: { ...model, id: 35 } }],
    [
      'JSON that is too deep',
      { kind: 'reply', body: `{"file":"/a","x":${'['.repeat(9_000)}${']'.repeat(9_000)}}` },
    ],
    ['huge JSON', { kind: 'json', value: { ...model, x: 'x'.repeat(1_100_000) } }],
    ['JSON without an end', { kind: 'endless', chunk: '{"x":' }],
    ['a gzip bomb', { kind: 'gzip-bomb', unpackedBytes: 50_000_000 }],
    ['a redirect', { kind: 'redirect', to: '/elsewhere' }],
    ['a redirect to a file', { kind: 'redirect', to: 'file:///etc/passwd' }],
    ['a redirect to another host', { kind: 'redirect', to: 'http://169.254.169.254/' }],
  ] as const satisfies readonly (readonly [string, HostileBehaviour])[])(
    'calls %s broken',
    async (_, behaviour) => {
      const asked = server.requests.length
      await expect(findAfter(behaviour)).rejects.toMatchObject({ code: 'BACKEND_BROKEN' })
      expect(server.requests.length).toBe(asked + 1)
    },
  )

  it.each([429, 502, 503, 504])('is asked again after %i, three times in all', async (status) => {
    const asked = server.requests.length
    server.reply('/models/34/', { kind: 'reply', status }, { kind: 'json', value: model })
    expect((await backendOf(server).find(caller)).versions).toHaveLength(1)
    await expect(findAfter({ kind: 'reply', status })).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      details: { retryAfterMs: 1_000 },
    })
    expect(server.requests.length).toBe(asked + 2 + 3)
  })

  it('is not asked again sooner than it wishes', async () => {
    const asked = server.requests.length
    const busy = { kind: 'reply', status: 503, headers: { 'retry-after': '77' } } as const
    await expect(findAfter(busy)).rejects.toMatchObject({ details: { retryAfterMs: 77_000 } })
    expect(server.requests.length).toBe(asked + 1)
    server.reply('/models/34/', { ...busy, headers: { 'retry-after': '0' } }, { kind: 'json', value: model })
    expect((await backendOf(server).find(caller)).versions).toHaveLength(1)
  })

  it.each([
    ['says nothing', { kind: 'never' }],
    ['stalls', { kind: 'stall', body: '{"id":34}', afterBytes: 3 }],
    ['drips its head', { kind: 'drip-head', everyMs: 20 }],
    ['drips its body', { kind: 'drip', body: ' '.repeat(10_000), everyMs: 20 }],
    ['cuts its answer off', { kind: 'cut-off', body: JSON.stringify(model), afterBytes: 9 }],
    ['resets', { kind: 'cut-off', body: JSON.stringify(model), afterBytes: 9, reset: true }],
  ] as const satisfies readonly (readonly [string, HostileBehaviour])[])(
    'is unavailable where it %s',
    async (_, behaviour) => {
      await expect(findAfter(behaviour, { timeoutMs: 400 })).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
      })
    },
  )

  it('is unavailable where nobody listens, and its token is in no error', async () => {
    const closed = await startHostileServer()
    await closed[Symbol.asyncDispose]()
    const error = await rejectionOf(backendOf(closed, { timeoutMs: 400 }).find(caller))
    expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' })
    expect(Bun.inspect(error)).not.toContain('caller-token')
  })

  it.each(['', '.', '..', 'a/b', '../users', 'a\\b', 'a\nb', '\ud800', 'x'.repeat(201)])(
    'is not asked for %j, which no model is called',
    async (modelId) => {
      const asked = server.requests.length
      await expect(backendOf(server).find({ ...caller, modelId })).rejects.toMatchObject({
        code: 'MODEL_NOT_FOUND',
      })
      expect(server.requests.length).toBe(asked)
    },
  )

  it('is asked for a selector as it is, and may know the model without it', async () => {
    server.reply('/models/digits%40prod/', { kind: 'json', value: { ...model, id: 'digits' } })
    const { versions } = await backendOf(server).find({ ...caller, modelId: 'digits@prod' })
    expect(versions[0]?.record).toMatchObject({ id: 'digits', version: '3' })
  })
})

describe('the styles of headers', () => {
  /** A backend of 2025 or of 2026, that can be replaced by the other. */
  const startDatedBackend = (header: string) => {
    const state = { header, asked: [] as string[] }
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: ({ headers }) => {
        const known = ['authorization', 'synapse-access-token'].filter((name) => headers.has(name)).join()
        state.asked.push(known)
        return headers.get(state.header) === 'Token caller-token'
          ? Response.json(model)
          : Response.json({ detail: 'Invalid token.' }, { status: 401 })
      },
    })
    return { state, url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) }
  }

  it('are found out once', async () => {
    await using old = startDatedBackend('synapse-access-token')
    const backend = createSynapseBackend({ url: old.url })
    await backend.find(caller)
    await backend.find(caller)
    expect(old.state.asked).toEqual(['authorization', 'synapse-access-token', 'synapse-access-token'])
  })

  it('are not given up for bad tokens, and found out anew where the backend was replaced', async () => {
    await using dated = startDatedBackend('authorization')
    let nowMs = 0
    const backend = createSynapseBackend({ url: dated.url, now: () => nowMs })
    await backend.find(caller)
    const bad = { ...caller, accessToken: 'bad' }
    for (let i = 0; i < 10; i += 1)
      await expect(backend.find(bad)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(dated.state.asked).toHaveLength(1 + 11)
    await backend.find(caller)
    expect(dated.state.asked.at(-1)).toBe('authorization')
    dated.state.header = 'synapse-access-token'
    nowMs = 60_000
    await backend.find(caller)
    dated.state.asked.length = 0
    await backend.find(caller)
    expect(dated.state.asked).toEqual(['synapse-access-token'])
  })

  it('are one where the operator says which', async () => {
    await using old = startDatedBackend('synapse-access-token')
    await createSynapseBackend({ url: old.url, headers: 'access-token' }).find(caller)
    const other = createSynapseBackend({ url: old.url, headers: 'authorization' })
    await expect(other.find(caller)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(old.state.asked).toEqual(['synapse-access-token', 'authorization'])
  })
})

describe('callers', () => {
  /** Knows `caller-token` and `server-token`; how it answers whom it knows, and whom it does not, is up to the test. */
  const startChoosyBackend = (known: () => Response, unknown: () => Response) => {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: ({ headers }) =>
        /^Token (?:caller|server)-token$/.test(headers.get('authorization') ?? '') ? known() : unknown(),
    })
    return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) }
  }
  const unauthorized = () => Response.json({ detail: 'Invalid token.' }, { status: 401 })
  const absent = () => Response.json({ detail: 'Not found.' }, { status: 404 })
  const forbidden = () => Response.json({ detail: 'No.' }, { status: 403 })
  const present = () => Response.json({ ...model, tenant: 'acme' })
  const fileless = () => Response.json({ id: 34, tenant: 'acme' })

  it.each([
    ['shows the model', present, 'acme'],
    ['shows a model without a file', fileless, 'acme'],
    ['does not have the model', absent, null],
    ['refuses the model', forbidden, null],
  ])('are confirmed where the backend %s, and refuses bad tokens', async (_, known, tenant) => {
    await using backend = startChoosyBackend(known, unauthorized)
    const { confirm } = createSynapseBackend({ url: backend.url })
    expect(await confirm({ ...caller, tenant: 'acme' })).toBe(tenant)
    expect(await confirm({ ...caller, tenant: 'other' })).toBe(null)
    await expect(confirm({ ...caller, accessToken: 'bad' })).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it.each([
    ['shows the model', present],
    ['does not have the model', absent],
    ['refuses the model', forbidden],
  ])('are not confirmed where the backend %s to everybody', async (_, everybody) => {
    await using backend = startChoosyBackend(everybody, everybody)
    const { confirm } = createSynapseBackend({ url: backend.url })
    await expect(confirm(caller)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      details: { reason: 'refused' },
    })
  })

  it('without an access token are refused, unless they are proven and this server may ask for them', async () => {
    await using backend = startChoosyBackend(present, unauthorized)
    const nobody = { ...caller, accessToken: null }
    const alone = createSynapseBackend({ url: backend.url })
    const helped = createSynapseBackend({ url: backend.url, serverAccessToken: 'server-token' })
    for (const question of [
      nobody,
      { ...nobody, accessToken: '' },
      { ...nobody, accessToken: 'two\nlines' },
    ]) {
      await expect(helped.find(question)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
      await expect(helped.confirm(question)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    }
    const proven = { ...nobody, proven: true, tenant: 'acme' }
    await expect(alone.find(proven)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(await alone.confirm(proven)).toBe(null)
    expect((await helped.find(proven)).tenant).toBe('acme')
    expect(await helped.confirm(proven)).toBe('acme')
    await expect(helped.find({ ...proven, tenant: 'other' })).rejects.toMatchObject({
      code: 'MODEL_FORBIDDEN',
    })
    expect((await helped.find({ ...proven, tenant: null })).tenant).toBe(null)
  })

  it('are not blamed for the token of this server', async () => {
    await using backend = startChoosyBackend(present, unauthorized)
    const { find } = createSynapseBackend({ url: backend.url, serverAccessToken: 'stale' })
    const error = await rejectionOf(find({ ...caller, accessToken: null, proven: true }))
    expect(error).toMatchObject({ code: 'BACKEND_BROKEN' })
    expect(Bun.inspect(error)).not.toContain('stale')
  })
})

it.each(['ftp://a', 'http://user@a', 'http://a/?x=1', 'http://a/#x', 'nothing'])(
  'refuses the URL %s',
  (url) => {
    expect(() => createSynapseBackend({ url })).toThrow('"url" must be')
  },
)

it('refuses an access token of this server that no header can carry', () => {
  expect(() => createSynapseBackend({ url: 'http://a', serverAccessToken: 'two\nlines' })).toThrow(
    '"serverAccessToken"',
  )
})
