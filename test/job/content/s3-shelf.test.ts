import { S3Client } from 'bun'
import { describe, expect, it } from 'vitest'
import { createS3Shelf } from '../../../runtime/job/content/s3-shelf.ts'
import { describeContentShelf, listed, patternOf } from '../../contract/content-shelf.ts'
import { requireOrSkip } from '../../support/requirement.ts'
import { absenceOfS3Server, startS3Server } from '../../support/s3-server.ts'

const source = new URL('../../../runtime/job/content/s3-shelf.ts', import.meta.url).pathname

describe.runIf(requireOrSkip('s3', absenceOfS3Server()))('a shelf on S3', () => {
  describeContentShelf(async () => {
    const server = await startS3Server()
    return {
      shelf: createS3Shelf('s3://models/some/jobs', server.options),
      code: `const { createS3Shelf } = await import(${JSON.stringify(source)})
        return createS3Shelf('s3://models/some/jobs', ${JSON.stringify(server.options)})`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  })

  it('keeps to its prefix', async () => {
    await using server = await startS3Server()
    const [one, other] = ['s3://models/a', 's3://models/ab/'].map((url) => createS3Shelf(url, server.options))
    const whole = createS3Shelf('s3://models', server.options)
    await one?.put({ bytes: patternOf(1) }, 'job/input')
    await other?.put({ bytes: patternOf(2) }, 'job/input')
    const client = new S3Client({ ...server.options, bucket: 'models' })
    expect((await client.list())?.contents?.map(({ key }) => key)).toEqual(['a/job/input', 'ab/job/input'])
    expect(one && (await listed(one, -5_000))).toEqual(['job/input'])
    expect(await listed(whole, -5_000)).toEqual(['a/job/input', 'ab/job/input'])
  })

  it('says that it is away, and goes on when it is back', async () => {
    await using server = await startS3Server()
    const away = { code: 'JOB_STORE_UNAVAILABLE', details: { reason: 'unreachable' } }
    const nowhere = createS3Shelf('s3://models/a', { ...server.options, endpoint: 'http://127.0.0.1:1' })
    await expect(nowhere.put({ bytes: patternOf(1) }, 'a')).rejects.toMatchObject(away)
    await expect(nowhere.read('a', 0, 1)).rejects.toMatchObject(away)
    await expect(nowhere.fetch('a', '/dev/null/a')).rejects.toThrow()
    await expect(nowhere.remove(['a'])).rejects.toMatchObject(away)
    await expect(listed(nowhere, 0)).rejects.toMatchObject(away)
    const wrong = createS3Shelf('s3://no-such-bucket', server.options)
    await expect(wrong.put({ bytes: patternOf(1) }, 'a')).rejects.toMatchObject({
      ...away,
      message: expect.stringContaining('NoSuchBucket'),
    })
  })
})

it('lists page by page where a server gives no more at a time', async () => {
  const names = Array.from({ length: 7 }, (_, index) => `p/job_${index}/input`)
  await using server = servePages(names, 3)
  const options = { endpoint: server.url.href, accessKeyId: 'a', secretAccessKey: 'b' }
  const shelf = createS3Shelf('s3://models/p', options)
  expect(await listed(shelf, 0)).toEqual(names.map((name) => name.slice(2)))
  expect(await listed(shelf, 4_000_000_000_000)).toEqual([])
})

it('names credentials that are not there', async () => {
  const shelf = createS3Shelf('s3://bucket/prefix', { accessKeyId: '', secretAccessKey: '' })
  await expect(shelf.read('a', 0, 1)).rejects.toMatchObject({ code: 'JOB_STORE_UNAVAILABLE' })
})

it.each(['s3://', 's3://a', 'https://bucket/prefix', 's3:bucket'])('refuses %s', (url) => {
  expect(() => createS3Shelf(url)).toThrow(TypeError)
})

/** Answers ListObjectsV2 for a bucket with these keys, so many in each reply. */
function servePages(names: readonly string[], pageSize: number) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch({ url }) {
      const after = new URL(url).searchParams.get('start-after') ?? ''
      const left = names.filter((name) => name > after)
      const contents = left
        .slice(0, pageSize)
        .map(
          (name) =>
            `<Contents><Key>${name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`,
        )
      const page = `<IsTruncated>${left.length > pageSize}</IsTruncated>${contents.join('')}`
      return new Response(`<ListBucketResult><Name>models</Name>${page}</ListBucketResult>`)
    },
  })
  return { url: server.url, [Symbol.asyncDispose]: () => server.stop(true) }
}
