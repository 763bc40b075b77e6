import { stat } from 'node:fs/promises'
import { S3Client, type S3Options } from 'bun'
import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import { hasCode } from '../../model/storage-error.ts'
import { DeadlineError, withDeadline } from '../store/deadline.ts'
import { fetchInPieces } from './content-file.ts'
import { assertContentKey, isContentKey, missingContent } from './content-key.ts'
import type { ContentShelf, ContentSource } from './content-shelf.ts'

/** Of ten thousand parts, which are the most there may be, a content of 78 GiB; a few of them are in memory. */
const upload = { partSize: 8_388_608, queueSize: 2, retry: 3 } as const

const retryAfterMs = 5_000

/** Time that an answer may take, and beyond that for each byte that is sent: a mebibyte a second at least. */
const [answerMs, byteMs] = [30_000, 1_000 / 1_048_576]

/**
 * A shelf in a bucket of S3, or in what understands the same: `s3://bucket/prefix`. Endpoint and credentials are those of
 * the environment (`S3_ENDPOINT`, `S3_ACCESS_KEY_ID`, `S3_SECRET_ACCESS_KEY`, `S3_REGION`, `S3_SESSION_TOKEN`, or `AWS_`
 * in place of `S3_`) where `options` names no others. What uploads that broke off have left there, the bucket's own rules
 * remove.
 *
 * @throws {TypeError} where the URL is none.
 */
export function createS3Shelf(url: string, options: S3Options = {}): ContentShelf {
  const { bucket, prefix } = parseShelfUrl(url)
  const client = new S3Client({ ...options, bucket })
  const place = (key: string): string => {
    assertContentKey(key)
    return prefix + key
  }
  const shelf: ContentShelf = {
    async put(source: ContentSource, key: string) {
      const path = place(key)
      const content = 'bytes' in source ? source.bytes : Bun.file(source.path)
      const size = 'bytes' in source ? source.bytes.length : (await stat(source.path)).size
      await answered(() => client.write(path, content, upload), answerMs + size * byteMs)
    },
    async read(key: string, offset: number, maxBytes: number) {
      const file = client.file(place(key))
      // A range that begins behind the end is refused, and servers differ in how.
      const { size } = await answered(() => file.stat())
      const length = Math.min(maxBytes, size - offset)
      if (length <= 0) return new Uint8Array()
      // Bun takes the range of the first byte alone for the whole.
      const range = file.slice(offset, offset + Math.max(length, 2))
      const bytes = await answered(() => range.arrayBuffer())
      return new Uint8Array(bytes.byteLength > length ? bytes.slice(0, length) : bytes)
    },
    async fetch(key: string, path: string) {
      assertContentKey(key)
      await fetchInPieces(shelf, key, path)
    },
    async remove(keys: readonly string[]) {
      for (const key of keys.map(place)) await answered(() => client.delete(key))
    },
    listOlderThan: (ageMs: number) => listOlder(client, prefix, Date.now() - ageMs),
  }
  return Object.freeze(shelf)
}

function parseShelfUrl(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, folder = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(url) ?? []
  if (bucket === undefined) {
    throw new TypeError(`"url" must be such as s3://bucket/prefix; got ${JSON.stringify(url)}.`)
  }
  const prefix = folder.replace(/\/+$/, '')
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
}

async function* listOlder(
  client: S3Client,
  prefix: string,
  beforeMs: number,
): AsyncGenerator<readonly string[]> {
  for (let startAfter = prefix; ; ) {
    const { contents = [], isTruncated } = await answered(() => client.list({ prefix, startAfter }))
    const keys = contents
      .filter(({ lastModified }) => lastModified !== undefined && Date.parse(lastModified) < beforeMs)
      .map(({ key }) => key.slice(prefix.length))
    yield keys.filter(isContentKey)
    const last = contents.at(-1)
    if (!isTruncated || last === undefined) return
    startAfter = last.key
  }
}

/** Asks S3, and says in our terms what went wrong. */
async function answered<Result>(ask: () => Promise<Result>, deadlineMs = answerMs): Promise<Result> {
  try {
    return await withDeadline(deadlineMs, ask)
  } catch (error) {
    throw toShelfError(error)
  }
}

function toShelfError(error: unknown): unknown {
  if (isIsoplexError(error) || !(error instanceof Error)) return error
  if (hasCode(error, 'NoSuchKey')) return missingContent(error)
  const code = 'code' in error ? String(error.code) : error.name
  const isOfS3 = error.name === 'S3Error' || code.startsWith('ERR_S3_') || error instanceof DeadlineError
  if (!isOfS3) return error
  return new IsoplexError(
    'JOB_STORE_UNAVAILABLE',
    `The place of the jobs' contents cannot be used (${code}); see that "jobFilesUrl" and the credentials of S3 are right and the server can be reached.`,
    { cause: error, details: { reason: 'unreachable', retryAfterMs } },
  )
}
