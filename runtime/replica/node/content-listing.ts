import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { assertDistinctNames, assertSafeName } from '../../archive/entry-name.ts'
import { createChecker } from '../../define/check.ts'

/** A file of some content. */
export interface ContentFile {
  /** Its path in the content, with forward slashes; never one that leads out of it. */
  readonly path: string
  readonly bytes: number
  /** The SHA-256 of what is in it, in lower-case hexadecimal. */
  readonly sha256: string
}

/** All files of some content, in the order of their paths. */
export type ContentListing = readonly ContentFile[]

const maxFiles = 10_000
const checker = createChecker(
  Type.Array(
    Type.Object(
      {
        path: Type.String({ minLength: 1, maxLength: 1_024 }),
        bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      },
      { additionalProperties: false },
    ),
    { maxItems: maxFiles },
  ),
)

/**
 * The name of content: the SHA-256 of its listing, a line for each file. Equal digests are equal files, so that nobody can
 * put something else in their place.
 */
export function digestOf(listing: ContentListing): string {
  const hash = createHash('sha256')
  for (const { path, bytes, sha256 } of listing) hash.update(`${sha256} ${bytes} ${JSON.stringify(path)}\n`)
  return hash.digest('hex')
}

/** Whether a text is the form of a digest. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)
}

/** What the files of some content take, in bytes. */
export function bytesOf(listing: ContentListing): number {
  return listing.reduce((sum, { bytes }) => sum + bytes, 0)
}

/**
 * Reads a listing that another machine has sent for a digest.
 *
 * @throws {Error} where it is none, is not that of the digest, or has names that lead elsewhere or meet on some file system.
 */
export function readListing(value: unknown, digest: string): ContentListing {
  const [issue] = checker.issues(value)
  if (issue) throw new Error(`The listing of content ${digest} is none: ${issue.path} ${issue.message}`)
  const listing = value as ContentListing
  for (const { path } of listing) {
    assertSafeName(path)
    if (path.endsWith('/')) throw new Error(`Content ${digest} has a folder where a file is listed.`)
  }
  assertDistinctNames(listing.map(({ path }) => path))
  if (digestOf(listing) !== digest) throw new Error(`The listing is not that of content ${digest}.`)
  return listing
}

/** Lists the files of a folder, or of those names in it. @throws {Error} where one cannot be read. */
export async function listContent(folder: string, names?: readonly string[]): Promise<ContentListing> {
  const paths = names ?? (await pathsBelow(folder))
  const listing: ContentFile[] = []
  for (const path of [...paths].sort()) {
    const place = join(folder, path)
    const { size } = await stat(place)
    listing.push(Object.freeze({ path, bytes: size, sha256: await sha256OfFile(place) }))
  }
  return Object.freeze(listing)
}

/** The SHA-256 of a file, in lower-case hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 }))
    hash.update(piece as Buffer)
  return hash.digest('hex')
}

async function pathsBelow(folder: string, prefix = ''): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix + entry.name
    if (entry.isDirectory()) paths.push(...(await pathsBelow(folder, `${path}/`)))
    else if (entry.isFile()) paths.push(path)
  }
  return paths
}
