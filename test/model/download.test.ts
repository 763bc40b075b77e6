import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ArtifactStoreOptions, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Artifact } from '../../runtime/model/backend.ts'
import { toOriginKey } from '../../runtime/model/origin-index.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { createScratch, rejectionOf, type Scratch } from './scratch.ts'

const bytes = new Uint8Array(4_000_000).map((_, index) => 8 + (index % 251))
const digest = createHash('sha256').update(bytes).digest('hex')
const file = { kind: 'file', bytes, etag: '"1"', ranges: 'honoured' } as const

let server: HostileServer
beforeAll(async () => {
  server = await startHostileServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** Obtains the artifact of a path from the hostile server, by a new store. */
async function obtain(
  scratch: Scratch,
  facts: Partial<Artifact> = {},
  options: Partial<ArtifactStoreOptions> = {},
): Promise<string> {
  const store = await openArtifactStore({
    directory: scratch.path('store'),
    policy: { origins: [server.url], hosts: ['models.example.com'] },
    patience: { retryDelayMs: 1, tries: 3 },
    ...options,
  })
  const url = `${server.url}/file`
  return store.obtain(
    { digest: null, url, checksum: null, sizeBytes: null, stamp: '', ...facts },
    'test/model',
  )
}

/** Obtains from a server that behaves like this. */
async function obtainAfter(
  scratch: Scratch,
  behaviours: readonly [HostileBehaviour, ...HostileBehaviour[]],
  options: Partial<ArtifactStoreOptions> = {},
): Promise<{ readonly result: unknown; readonly requests: typeof server.requests }> {
  server.reply('/file', ...behaviours)
  const before = server.requests.length
  const result = await obtain(scratch, {}, options).catch((error: unknown) => error)
  return { result, requests: server.requests.slice(before) }
}

describe('a download that is cut off', () => {
  // How much of what was sent before the end of a connection is read, is up to the machine; some of so much is.
  const cut = { ...file, cutAfterBytes: 900_000 }
  const some = expect.stringMatching(/^bytes=[1-9]\d*-$/)
  const rangesOf = (requests: typeof server.requests) => requests.map(({ headers }) => headers.get('range'))

  it('goes on where it was, and in the next call where this one has given up', async () => {
    await using scratch = await createScratch()
    const first = await obtainAfter(scratch, [cut])
    expect(first.result).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'cut-off' } })
    expect(rangesOf(first.requests)).toEqual([null, some, some])
    expect(first.requests.map(({ headers }) => headers.get('if-range'))).toEqual([null, '"1"', '"1"'])
    const { result, requests } = await obtainAfter(scratch, [file])
    expect(result).toBe(digest)
    expect(rangesOf(requests)).toEqual([some])
  })

  it('is tried as often as it takes while it gets on', async () => {
    await using scratch = await createScratch()
    const large = { ...file, bytes: new Uint8Array(12_000_000).fill(9), cutAfterBytes: 2_500_000 }
    const { result, requests } = await obtainAfter(scratch, [large])
    expect(result).toBe(createHash('sha256').update(large.bytes).digest('hex'))
    expect(requests.length).toBeGreaterThan(3)
  })

  it('asks for the last byte where all of it is here already', async () => {
    await using scratch = await createScratch()
    const place = `store/downloads/${toOriginKey('test/model', `${server.url}/file`)}`
    await scratch.write(place, bytes)
    const facts = { validator: '"1"', totalBytes: bytes.length, syncedBytes: bytes.length }
    await scratch.write(`${place}.json`, JSON.stringify(facts))
    const { result, requests } = await obtainAfter(scratch, [file])
    expect(result).toBe(digest)
    expect(rangesOf(requests)).toEqual([`bytes=${bytes.length - 1}-`])
  })

  it.each([
    ['has changed', { ...file, etag: '"2"' }],
    ['knows no ranges', { ...file, ranges: 'ignored' }],
  ] as const)('begins anew where the server %s', async (_, then) => {
    await using scratch = await createScratch()
    const { result, requests } = await obtainAfter(scratch, [cut, then])
    expect(result).toBe(digest)
    expect(rangesOf(requests)).toEqual([null, some])
  })

  it.each([
    ['sends another range', { ...file, ranges: 'shifted' }],
    ['says that there is none', { kind: 'reply', status: 416 }],
  ] as const)('begins anew where the server %s', async (_, then) => {
    await using scratch = await createScratch()
    const { result, requests } = await obtainAfter(scratch, [cut, then, file])
    expect(result).toBe(digest)
    expect(rangesOf(requests)).toEqual([null, some, null])
  })

  it('begins anew where the server gave nothing to know the bytes by', async () => {
    await using scratch = await createScratch()
    const { etag: _, ...untagged } = file
    const { result, requests } = await obtainAfter(scratch, [
      { ...untagged, cutAfterBytes: 900_000 },
      untagged,
    ])
    expect(result).toBe(digest)
    expect(rangesOf(requests)).toEqual([null, null])
  })

  it('whose rest is a lie is found out by its checksum', async () => {
    await using scratch = await createScratch()
    server.reply('/file', cut, { ...file, ranges: 'lying' })
    const checksum = { algorithm: 'sha256', value: digest } as const
    await expect(obtain(scratch, { checksum })).rejects.toMatchObject({ details: { reason: 'checksum' } })
    server.reply('/file', file)
    expect(await obtain(scratch, { checksum })).toBe(digest)
  })
})

describe('a server that', () => {
  it.each([
    ['never answers', { kind: 'never' }, 'timeout', 3],
    ['drips its head', { kind: 'drip-head', everyMs: 20 }, 'timeout', 3],
    ['stalls', { kind: 'stall', body: bytes, afterBytes: 10 }, 'timeout', 3],
    ['cuts off', { kind: 'cut-off', body: bytes, afterBytes: 10 }, 'cut-off', 3],
    ['resets', { kind: 'cut-off', body: bytes, afterBytes: 10, reset: true }, 'cut-off', 3],
    [
      'announces too much',
      { kind: 'wrong-length', body: bytes, lengthBytes: bytes.length + 9 },
      'cut-off',
      3,
    ],
    ['answers 500', { kind: 'reply', status: 500 }, 'status', 3],
    ['answers 503', { kind: 'reply', status: 503, headers: { 'retry-after': '0' } }, 'status', 3],
    ['answers 429', { kind: 'reply', status: 429 }, 'status', 3],
    [
      'wishes to be left alone for long',
      { kind: 'reply', status: 503, headers: { 'retry-after': '900' } },
      'status',
      1,
    ],
    ['answers 401', { kind: 'reply', status: 401 }, 'status', 1],
    ['answers 403', { kind: 'reply', status: 403 }, 'status', 1],
    ['answers 400', { kind: 'reply', status: 400 }, 'status', 1],
    ['answers 204', { kind: 'reply', status: 204 }, 'status', 1],
    ['answers 206 to no range', { kind: 'reply', status: 206, body: bytes }, 'status', 1],
    ['answers 304 to no condition', { kind: 'reply', status: 304 }, 'status', 1],
    ['compresses', { kind: 'gzip-bomb', unpackedBytes: 100_000_000 }, 'encoding', 1],
  ] as const satisfies readonly (readonly [string, HostileBehaviour, string, number])[])(
    '%s fails, and is asked no more often than may help',
    async (_, behaviour, reason, times) => {
      await using scratch = await createScratch()
      const limits = reason === 'timeout' ? { timeoutMs: 200, idleTimeoutMs: 200 } : {}
      const patience = { retryDelayMs: 1, tries: 3, ...limits }
      const { result, requests } = await obtainAfter(scratch, [behaviour], { patience })
      expect(result).toMatchObject({ code: 'FETCH_FAILED', details: { reason } })
      expect(requests.length).toBe(times)
      expect(await readdir(scratch.path('store/artifacts'))).toEqual([])
      expect(await readdir(scratch.path('store/staging'))).toEqual([])
    },
  )

  it('is slow only now and then is waited for', async () => {
    await using scratch = await createScratch()
    const { result } = await obtainAfter(scratch, [
      { kind: 'reply', status: 503 },
      { kind: 'cut-off', body: bytes, afterBytes: 3 },
      { kind: 'drip', body: '\b\b', everyMs: 10 },
    ])
    expect(result).toBe(createHash('sha256').update('\b\b').digest('hex'))
  })

  it.each([404, 410])('has no such file (%i) is told so', async (status) => {
    await using scratch = await createScratch()
    const { result, requests } = await obtainAfter(scratch, [{ kind: 'reply', status }])
    expect(result).toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason: 'not-found' } })
    expect(requests.length).toBe(1)
  })

  it.each([
    ['announces', { kind: 'reply', body: bytes }],
    ['sends', { kind: 'endless', chunk: bytes }],
  ] as const)('%s more than may be is not listened to', async (_, behaviour) => {
    await using scratch = await createScratch()
    const { result } = await obtainAfter(scratch, [behaviour], { maxArtifactBytes: bytes.length - 1 })
    expect(result).toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason: 'too-large' } })
    expect(await readdir(scratch.path('store/downloads'))).toEqual([])
  })

  it.each([
    'file:///etc/passwd',
    'http://127.0.0.1:1/',
    'http://169.254.169.254/latest/',
    'http://[::1]:1/',
    'https://elsewhere.example/',
    'gopher://127.0.0.1/',
    'https://user:pass@models.example.com/',
  ])('sends to %s is not followed', async (to) => {
    await using scratch = await createScratch()
    const { result } = await obtainAfter(scratch, [{ kind: 'redirect', to }])
    expect(result).toMatchObject({ code: 'URL_REFUSED' })
    await expect(obtain(scratch, { url: to })).rejects.toMatchObject({ code: 'URL_REFUSED' })
  })

  it('has a name that may be asked, and an address that may not, is not asked', async () => {
    await using scratch = await createScratch()
    const policy = { origins: [server.url], hosts: ['localhost'] }
    const to = `https://localhost:${server.port}/file`
    const { result, requests } = await obtainAfter(scratch, [{ kind: 'redirect', to }], { policy })
    expect(result).toMatchObject({ code: 'URL_REFUSED', details: { reason: 'address' } })
    expect(requests.length).toBe(1)
  })

  it('redirects within its origin is followed, and never gets a credential', async () => {
    await using scratch = await createScratch()
    server.reply('/moved', file)
    const { result, requests } = await obtainAfter(scratch, [{ kind: 'redirect', to: '/moved' }])
    expect(result).toBe(digest)
    for (const { headers } of requests) {
      expect([...headers.keys()].toSorted()).toEqual(['accept-encoding', 'connection', 'host', 'user-agent'])
    }
  })
})

it('names the host of a link that has expired, and nothing of its signature', async () => {
  await using scratch = await createScratch()
  server.reply('/file', { kind: 'reply', status: 403 })
  const error = await rejectionOf(obtain(scratch, { url: `${server.url}/file?X-Amz-Signature=secret` }))
  expect(error).toMatchObject({
    code: 'FETCH_FAILED',
    retryable: true,
    message: expect.stringContaining('the link has expired or gives no right to it'),
  })
  expect(Bun.inspect(error)).not.toContain('secret')
})
