import { access, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openStaging, type Staging, sweepLeftBehind } from './staging.ts'

/** Where everything of an artifact store lies. */
export interface StoreFolder {
  readonly staging: Staging
  /** The folder of artifacts by digest, of their unpacked folders, and of the marks of those. */
  readonly artifacts: string
  readonly unpacked: string
  readonly marks: string
  /** The folder of what came from where, and of the processes' claims. */
  readonly origins: string
  readonly leases: string
  /** The folder of unfinished downloads. */
  readonly downloads: string
  /** Held by whoever prunes. */
  readonly pruneLock: string
  /** Held by whoever puts an unpacked folder in its place. */
  readonly unpackedLock: string
  artifactPath(digest: string): string
  unpackedPath(digest: string): string
  /** Says since when an unpacked folder is there, and so whether it counts. */
  unpackedMark(digest: string): string
  /** What is known of an origin, its unfinished download, and the lock of whoever downloads from it. */
  originPath(key: string): string
  partialPath(key: string): string
  downloadLock(key: string): string
}

const names = ['artifacts', 'unpacked', 'marks', 'origins', 'leases', 'downloads', 'locks'] as const

/** Opens the folder of a store, makes what is missing of it, and sweeps out what dead processes left. */
export async function openStoreFolder(options: { readonly directory: string }): Promise<StoreFolder> {
  const directory = resolve(options.directory)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of names) await mkdir(join(directory, name), { recursive: true })
  const staging = await openStaging(join(directory, 'staging'))
  await sweepLeftBehind(join(directory, 'leases'))
  return Object.freeze({
    staging,
    artifacts: join(directory, 'artifacts'),
    unpacked: join(directory, 'unpacked'),
    marks: join(directory, 'marks'),
    origins: join(directory, 'origins'),
    leases: join(directory, 'leases'),
    downloads: join(directory, 'downloads'),
    pruneLock: join(directory, 'locks', 'prune'),
    unpackedLock: join(directory, 'locks', 'unpacked'),
    artifactPath: (digest: string) => join(directory, 'artifacts', assertDigest(digest)),
    unpackedPath: (digest: string) => join(directory, 'unpacked', assertDigest(digest)),
    unpackedMark: (digest: string) => join(directory, 'marks', assertDigest(digest)),
    originPath: (key: string) => join(directory, 'origins', assertDigest(key)),
    partialPath: (key: string) => join(directory, 'downloads', assertDigest(key)),
    downloadLock: (key: string) => join(directory, 'locks', assertDigest(key)),
  })
}

/** Whether something is there under a path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Whether a text is a SHA-256 in lower-case hexadecimal. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

function assertDigest(digest: string): string {
  if (isDigest(digest)) return digest
  throw new TypeError(`"digest" must be 64 lower-case hexadecimal digits; got ${JSON.stringify(digest)}.`)
}
