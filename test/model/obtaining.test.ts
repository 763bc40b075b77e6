import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  type ArtifactStore,
  type ArtifactStoreOptions,
  openArtifactStore,
} from '../../runtime/model/artifact-store.ts'
import type { Artifact } from '../../runtime/model/backend.ts'
import type { Progress } from '../../runtime/model/progress.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { startArtifactServer } from '../support/artifact-server.ts'
import { createScratch, rejectionOf, type Scratch } from './scratch.ts'

const digestOf = (bytes: Uint8Array, algorithm = 'sha256'): string =>
  createHash(algorithm).update(bytes).digest('hex')
const openStore = (
  scratch: Scratch,
  { url }: { readonly url: string },
  options: Partial<ArtifactStoreOptions> = {},
): Promise<ArtifactStore> =>
  openArtifactStore({
    directory: scratch.path('store'),
    policy: { origins: [new URL(url).origin], hosts: [] },
    patience: { retryDelayMs: 1 },
    ...options,
  })
const artifactAt = (url: string, facts: Partial<Artifact> = {}): Artifact => ({
  digest: null,
  url,
  checksum: null,
  sizeBytes: null,
  stamp: 'first',
  ...facts,
})

const graph = Buffer.from('\b\x08 a graph')

describe('an artifact', () => {
  it('is downloaded once, and not asked about again under the same stamp', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(graph)
    const store = await openStore(scratch, server)
    const digest = await store.obtain(artifactAt(server.url), 'test/digits')
    expect(digest).toBe(digestOf(graph))
    expect(await readFile(scratch.path('store/artifacts', digest))).toEqual(graph)
    expect(await store.obtain(artifactAt(server.url), 'test/digits')).toBe(digest)
    const reopened = await openStore(scratch, server)
    expect(await reopened.obtain(artifactAt(server.url), 'test/digits')).toBe(digest)
    expect(server.answers).toEqual(['200'])
    expect(await readdir(scratch.path('store/downloads'))).toEqual([])
    expect(await readdir(scratch.path('store/staging'))).toEqual([])
  })

  it('is asked about under another stamp, and kept where it is the same', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(graph)
    const store = await openStore(scratch, server)
    const signed = (signature: string, stamp: string): Artifact =>
      artifactAt(`${server.url}/a?X-Amz-Signature=${signature}&v=1`, { stamp })
    const digest = await store.obtain(signed('1', 'first'), 'test/digits')
    expect(await store.obtain(signed('2', 'second'), 'test/digits')).toBe(digest)
    for (const stamp of ['first', 'second']) await store.obtain(signed('3', stamp), 'test/digits')
    expect(server.answers).toEqual(['200', '304'])
    server.content = Buffer.from('another graph')
    server.etag = '"2"'
    const second = await store.obtain(signed('4', 'third'), 'test/digits')
    expect(second).toBe(digestOf(server.content))
    expect(await store.obtain(signed('5', 'first'), 'test/digits')).toBe(second)
    expect(server.answers).toEqual(['200', '304', '200', '304'])
  })

  it('of another link is another, whatever its entity tag', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(graph, '"same"')
    const store = await openStore(scratch, server)
    const first = await store.obtain(artifactAt(`${server.url}/?tenant=a`), 'test/digits')
    server.content = Buffer.from('of b')
    const second = await store.obtain(artifactAt(`${server.url}/?tenant=b`, { stamp: 'b' }), 'test/digits')
    expect([first, second]).toEqual([digestOf(graph), digestOf(server.content)])
    expect(server.answers).toEqual(['200', '200'])
  })

  it('is not asked for where its digest or checksum is in the store', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(graph)
    const store = await openStore(scratch, server)
    const { digest } = await store.put(await scratch.write('model.onnx', graph))
    const checksum = { algorithm: 'sha256', value: digest } as const
    expect(await store.obtain(artifactAt(server.url, { checksum }), 'test/digits')).toBe(digest)
    expect(await store.obtain({ ...artifactAt(server.url), digest, url: null }, 'test/digits')).toBe(digest)
    expect(server.answers).toEqual([])
  })

  it('without a URL that is not in the store is missing', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch, { url: 'http://127.0.0.1' })
    for (const digest of [null, '0'.repeat(64)]) {
      await expect(store.obtain({ ...artifactAt(''), url: null, digest }, 'x')).rejects.toMatchObject({
        code: 'ARTIFACT_BROKEN',
        details: { reason: 'missing' },
      })
    }
  })

  it.each(['sha256', 'md5'] as const)(
    'is held against its %s checksum, and dropped where it differs',
    async (algorithm) => {
      await using scratch = await createScratch()
      await using server = startArtifactServer(graph)
      const store = await openStore(scratch, server)
      const good = artifactAt(server.url, { checksum: { algorithm, value: digestOf(graph, algorithm) } })
      server.content = Buffer.from('somebody else wrote this')
      await expect(store.obtain(good, 'test/digits')).rejects.toMatchObject({
        code: 'ARTIFACT_BROKEN',
        details: { reason: 'checksum' },
      })
      for (const name of ['artifacts', 'downloads', 'staging', 'origins'])
        expect(await readdir(scratch.path('store', name))).toEqual([])
      server.content = graph
      expect(await store.obtain(good, 'test/digits')).toBe(digestOf(graph))
      // What is known from before under another checksum does not count.
      const bad = { algorithm, value: digestOf(Buffer.from('other'), algorithm) }
      await expect(store.obtain({ ...good, checksum: bad }, 'test/digits')).rejects.toMatchObject({
        details: { reason: 'checksum' },
      })
    },
  )

  it('that would not be unpacked does not get into the store', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(buildArchive([{ name: '../evil' }]))
    const store = await openStore(scratch, server)
    await expect(store.obtain(artifactAt(server.url), 'test/digits')).rejects.toMatchObject({
      details: { reason: 'name-climbs' },
    })
    server.content = new Uint8Array()
    await expect(store.obtain(artifactAt(server.url), 'test/digits')).rejects.toMatchObject({
      details: { reason: 'empty' },
    })
    expect(await readdir(scratch.path('store/artifacts'))).toEqual([])
    expect(await readdir(scratch.path('store/downloads'))).toEqual([])
  })

  it('comes anew where it was removed from the store', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(graph)
    const store = await openStore(scratch, server)
    await store.remove(await store.obtain(artifactAt(server.url), 'test/digits'))
    await store.obtain(artifactAt(server.url), 'test/digits')
    expect(server.answers).toEqual(['200', '200'])
  })
})

describe('a thousand callers', () => {
  it('of one cold artifact make one download, and see how far it is', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(new Uint8Array(3_000_000).fill(7))
    const store = await openStore(scratch, server)
    const opened = Promise.withResolvers<void>()
    server.gate = opened.promise
    const heard: Progress[] = []
    const onProgress = (progress: Progress): void => void heard.push(progress)
    const asked = Array.from({ length: 1_000 }, () =>
      store.obtain(artifactAt(server.url), 'test/digits', { onProgress }),
    )
    await expect.poll(() => server.asked.length).toBe(1)
    expect(store.transfers()).toMatchObject([
      { origin: 'test/digits', kind: 'download', doneBytes: 0, totalBytes: null },
    ])
    opened.resolve()
    expect(new Set(await Promise.all(asked)).size).toBe(1)
    expect(server.answers).toEqual(['200'])
    expect(heard.at(-1)).toEqual({ doneBytes: 3_000_000, totalBytes: 3_000_000 })
    expect(store.transfers()).toEqual([])
  })

  it('with a stamp each make one download and one question', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(graph)
    const store = await openStore(scratch, server)
    const digests = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        store.obtain(artifactAt(server.url, { stamp: String(index) }), 'test/digits'),
      ),
    )
    expect(new Set(digests)).toEqual(new Set([digestOf(graph)]))
    expect(server.answers).toEqual(['200', '304'])
  })

  it('all hear of one failure, and the next try is free', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(new Uint8Array())
    const store = await openStore(scratch, server)
    const ask = (): Promise<unknown> => rejectionOf(store.obtain(artifactAt(server.url), 'test/digits'))
    expect(new Set(await Promise.all([ask(), ask(), ask()])).size).toBe(1)
    server.content = graph
    expect(await store.obtain(artifactAt(server.url), 'test/digits')).toBe(digestOf(graph))
  })
})

describe('several processes', () => {
  const fixture = new URL('fixtures/obtain.ts', import.meta.url).pathname
  const spawn = (...parameters: readonly string[]) =>
    Bun.spawn([process.execPath, fixture, ...parameters], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })

  it('that share a store make one download', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(new Uint8Array(5_000_000).fill(1))
    const children = [1, 2, 3].map(() => spawn(scratch.path('store'), server.url))
    const outputs = children.map((child) => child.stdout.pipeThrough(new TextDecoderStream()).getReader())
    for (const output of outputs) expect(await output.read()).toMatchObject({ value: 'ready\n' })
    for (const child of children) child.stdin.write('go\n') && child.stdin.flush()
    for (const output of outputs)
      expect(await output.read()).toMatchObject({ value: digestOf(server.content) })
    for (const child of children) expect(await child.exited).toBe(0)
    expect(server.answers).toEqual(['200'])
  })

  it('go on where one was killed in the middle', async () => {
    await using scratch = await createScratch()
    const content = crypto.getRandomValues(Buffer.alloc(65_536))
    await using server = startArtifactServer(Buffer.concat(Array.from({ length: 512 }, () => content)))
    const child = spawn(scratch.path('store'), server.url, 'die')
    child.stdin.write('go\n')
    await child.stdin.end()
    await child.exited
    expect(child.signalCode).toBe('SIGKILL')
    expect(await readdir(scratch.path('store/artifacts'))).toEqual([])
    const store = await openStore(scratch, server)
    const heard: number[] = []
    const onProgress = ({ doneBytes }: Progress): void => void heard.push(doneBytes)
    const digest = await store.obtain(artifactAt(server.url, { stamp: 'later' }), 'test/model', {
      onProgress,
    })
    expect(digest).toBe(digestOf(server.content))
    expect(server.answers).toEqual(['200', expect.stringMatching(/^206 [1-9]\d{6,}-$/)])
    expect(heard.every((doneBytes) => doneBytes > 8_000_000)).toBe(true)
    expect(await readdir(scratch.path('store/downloads'))).toEqual([])
  })

  it('do not go on with bytes that the server has replaced', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(new Uint8Array(30_000_000).fill(1))
    const child = spawn(scratch.path('store'), server.url, 'die')
    child.stdin.write('go\n')
    await child.stdin.end()
    await child.exited
    server.content = new Uint8Array(30_000_000).fill(2)
    server.etag = '"2"'
    const store = await openStore(scratch, server)
    expect(await store.obtain(artifactAt(server.url), 'test/model')).toBe(digestOf(server.content))
    expect(server.answers).toEqual(['200', '200'])
  })

  it('never go on with what does not stand there for certain', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(new Uint8Array(30_000_000).fill(1))
    const child = spawn(scratch.path('store'), server.url, 'die')
    child.stdin.write('go\n')
    await child.stdin.end()
    await child.exited
    const facts = (await readdir(scratch.path('store/downloads'))).find((name) => name.endsWith('.json'))
    await rm(scratch.path('store/downloads', facts ?? ''))
    const store = await openStore(scratch, server)
    expect(await store.obtain(artifactAt(server.url), 'test/model')).toBe(digestOf(server.content))
    expect(server.answers).toEqual(['200', '200'])
  })
})
