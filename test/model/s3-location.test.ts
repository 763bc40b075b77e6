import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Artifact } from '../../runtime/model/backend.ts'
import { locateS3, parseS3Url } from '../../runtime/model/s3-location.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { absenceOfS3Server, type S3Server, startS3Server } from '../support/s3-server.ts'
import { createScratch, rejectionOf, type Scratch } from './scratch.ts'

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('an S3 URL', () => {
  it.each([
    ['s3://models/digits.zip', { bucket: 'models', key: 'digits.zip' }],
    ['s3://my-models/a b/모델?x#y%20', { bucket: 'my-models', key: 'a b/모델?x#y%20' }],
  ])('%s names a bucket and a key as it is', (url, location) => {
    expect(parseS3Url(url)).toEqual(location)
  })

  it.each([
    's3:',
    's3://',
    's3://models',
    's3://models/',
    's3:///digits',
    's3://Models/digits',
    's3://models/../other/digits',
    's3://models/a/./b',
    's3://user:pass@models/digits',
    's3://models:9000/digits',
    's3://models/\ud800',
  ])('%s is refused', (url) => {
    expect(() => parseS3Url(url)).toThrow(expect.objectContaining({ code: 'URL_REFUSED' }))
  })

  it('without credentials says which are missing', async () => {
    const child = Bun.spawn(
      [
        process.execPath,
        '-e',
        `const { locateS3 } = await import(${JSON.stringify(new URL('../../runtime/model/s3-location.ts', import.meta.url).pathname)})
        try { locateS3({ bucket: 'models', key: 'a' }, {}) } catch (error) { console.log(error.code, error.message) }`,
      ],
      { env: { PATH: process.env.PATH ?? '' }, stdout: 'pipe' },
    )
    expect(await new Response(child.stdout).text()).toMatch(/^CONFIG_INVALID .*S3_ACCESS_KEY_ID/)
  })

  it('becomes a link that only its endpoint is asked for', () => {
    const options = { endpoint: 'http://10.0.0.7:9000', accessKeyId: 'id', secretAccessKey: 'secret' }
    const { url, policy } = locateS3({ bucket: 'models', key: 'a b/모델?' }, options)
    expect(url).toMatch(
      /^http:\/\/10\.0\.0\.7:9000\/models\/a%20b\/%EB%AA%A8%EB%8D%B8%3F\?.*X-Amz-Signature=/,
    )
    expect(url).not.toContain('secret')
    expect(policy).toEqual({ origins: ['http://10.0.0.7:9000'], hosts: [] })
  })
})

describe.runIf(requireOrSkip('s3', absenceOfS3Server()))('an object of a real S3 server', () => {
  const graph = Buffer.from('\b\x08 a graph')
  let server: S3Server
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const openStore = (scratch: Scratch, buckets: readonly string[] = ['models']): Promise<ArtifactStore> =>
    openArtifactStore({
      directory: scratch.path('store'),
      s3: server.options,
      buckets,
      patience: { retryDelayMs: 1 },
    })
  const artifactAt = (url: string, stamp = 'first'): Artifact => ({
    digest: null,
    url,
    checksum: null,
    sizeBytes: null,
    stamp,
  })

  it('is obtained for a backend, and asked about by its entity tag', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    await server.write('a b/모델+1.onnx', graph)
    const url = 's3://models/a b/모델+1.onnx'
    expect(await store.obtain(artifactAt(url), 'test/digits')).toBe(digestOf(graph))
    expect(await store.obtain(artifactAt(url, 'second'), 'test/digits')).toBe(digestOf(graph))
    const other = Buffer.from('another')
    await server.write('a b/모델+1.onnx', other)
    expect(await store.obtain(artifactAt(url, 'third'), 'test/digits')).toBe(digestOf(other))
  })

  it('is not obtained from a bucket that the operator has not named', async () => {
    await using scratch = await createScratch()
    await server.write('digits.onnx', graph)
    const store = await openStore(scratch, ['others'])
    await expect(store.obtain(artifactAt('s3://models/digits.onnx'), 'test/digits')).rejects.toMatchObject({
      code: 'URL_REFUSED',
      details: { reason: 'host' },
    })
    expect(await store.put('s3://models/digits.onnx')).toEqual({
      digest: digestOf(graph),
      sizeBytes: graph.length,
    })
  })

  it('is staged, to be committed or discarded', async () => {
    await using scratch = await createScratch()
    await server.write('digits.onnx', graph)
    const store = await openStore(scratch, [])
    await (await store.stage('s3://models/digits.onnx')).discard()
    expect(await readdir(scratch.path('store/artifacts'))).toEqual([])
    expect(await readdir(scratch.path('store/staging'))).toEqual([])
    await (await store.stage('s3://models/digits.onnx')).commit()
    expect(await readdir(scratch.path('store/artifacts'))).toEqual([digestOf(graph)])
  })

  it('goes on where a process was killed that had its credentials from the environment', async () => {
    await using scratch = await createScratch()
    const bytes = new Uint8Array(30_000_000).fill(5)
    await server.write('large.onnx', bytes)
    const { endpoint, accessKeyId, secretAccessKey, region } = server.options
    const fixture = new URL('fixtures/put.ts', import.meta.url).pathname
    const child = Bun.spawn([process.execPath, fixture, scratch.path('store'), 's3://models/large.onnx'], {
      env: {
        ...process.env,
        S3_ENDPOINT: endpoint,
        S3_ACCESS_KEY_ID: accessKeyId,
        S3_SECRET_ACCESS_KEY: secretAccessKey,
        S3_REGION: region,
      },
      stderr: 'inherit',
    })
    await child.exited
    expect(child.signalCode).toBe('SIGKILL')
    const store = await openStore(scratch)
    const heard: number[] = []
    const { digest } = await store.put('s3://models/large.onnx', {
      onProgress: ({ doneBytes }) => heard.push(doneBytes),
    })
    expect(digest).toBe(digestOf(bytes))
    expect(Math.min(...heard)).toBeGreaterThan(8_000_000)
  })

  it('that is not there is said to be missing, and no signature is in the error', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const error = await rejectionOf(store.put('s3://models/nothing'))
    expect(error).toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason: 'not-found' } })
    expect(Bun.inspect(error)).not.toMatch(/signature/i)
  })
})
