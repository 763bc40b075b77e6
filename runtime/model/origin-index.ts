import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checksum } from './backend.ts'
import { isJsonObject, readJsonFile } from './json-file.ts'
import { exists, isDigest, type StoreFolder } from './store-folder.ts'

/** What came from an origin the last time. */
export interface OriginEntry {
  readonly digest: string
  /** Under which stamps it was there, the newest first. */
  readonly stamps: readonly string[]
  /** What the server told of it, to be asked by whether it is still the same. */
  readonly etag: string | null
  readonly lastModified: string | null
  /** The checksum that it was held against. */
  readonly checksum: Checksum | null
}

/** Enough for callers whose metadata differ while the bytes do not. */
const mostStamps = 16

/** Parameters of signed links, by which a link to the same bytes differs from day to day. */
const signature =
  /^(?:x-(?:amz|goog|oss|cos)-.*|awsaccesskeyid|googleaccessid|key-pair-id|signature|expires|policy|grant|s[erktvp]|sig|spr|sip|sk[eosv]|skoid|sktid)$/i

/**
 * The name under which a store remembers what came from an origin: a digest of the origin and of the URL without
 * its signature, so that a link signed anew is the same one. A link to anything else is another: what one server
 * calls unchanged says nothing of what lies elsewhere.
 */
export function toOriginKey(origin: string, url: string): string {
  return createHash('sha256')
    .update(JSON.stringify([origin, withoutSignature(url)]))
    .digest('hex')
}

/** What is known of an origin, as far as it fits what is asked for; `null` for nothing. */
export async function readOrigin(
  folder: StoreFolder,
  key: string,
  checksum: Checksum | null,
): Promise<OriginEntry | null> {
  const entry = toEntry(await readJsonFile(folder.originPath(key)))
  if (entry === null || checksum === null) return entry
  const held = checksum.algorithm === 'sha256' ? entry.digest : md5Of(entry)
  return held === checksum.value ? entry : null
}

/** Remembers what came from an origin; the stamps of the same bytes are kept. */
export async function writeOrigin(
  folder: StoreFolder,
  key: string,
  entry: Omit<OriginEntry, 'stamps'> & { readonly stamp: string },
): Promise<void> {
  const known = toEntry(await readJsonFile(folder.originPath(key)))
  const older = known?.digest === entry.digest ? known.stamps.filter((stamp) => stamp !== entry.stamp) : []
  const { stamp, ...facts } = entry
  const stamps = [stamp, ...older].slice(0, mostStamps)
  await folder.staging.writeSmall(folder.originPath(key), JSON.stringify({ ...facts, stamps }))
}

/** Forgets the origins of artifacts that are gone. */
export async function sweepOrigins(folder: StoreFolder): Promise<void> {
  for (const key of await readdir(folder.origins)) {
    const path = join(folder.origins, key)
    const entry = toEntry(await readJsonFile(path))
    if (entry === null || !(await exists(folder.artifactPath(entry.digest)))) await rm(path, { force: true })
  }
}

function withoutSignature(text: string): string {
  const url = URL.parse(text)
  if (url === null) return text
  for (const name of [...url.searchParams.keys()]) if (signature.test(name)) url.searchParams.delete(name)
  url.hash = ''
  return url.href
}

function toEntry(value: unknown): OriginEntry | null {
  if (!isJsonObject(value) || typeof value.digest !== 'string' || !isDigest(value.digest)) return null
  const { digest, stamps, etag, lastModified, checksum } = value
  return {
    digest,
    stamps: Array.isArray(stamps) ? stamps.filter((stamp) => typeof stamp === 'string') : [],
    etag: typeof etag === 'string' ? etag : null,
    lastModified: typeof lastModified === 'string' ? lastModified : null,
    checksum: toChecksum(checksum),
  }
}

function toChecksum(value: unknown): Checksum | null {
  if (!isJsonObject(value) || typeof value.value !== 'string') return null
  const { algorithm } = value
  return algorithm === 'sha256' || algorithm === 'md5' ? { algorithm, value: value.value } : null
}

function md5Of({ checksum }: OriginEntry): string | null {
  return checksum?.algorithm === 'md5' ? checksum.value : null
}
