import type { S3Options } from 'bun'
import { S3Client } from 'bun'
import { IsoplexError } from '../error/error.ts'
import type { DownloadTarget } from './download.ts'
import { hasCode } from './storage-error.ts'

/** An object of an S3-compatible store. */
export interface S3Location {
  readonly bucket: string
  readonly key: string
}

/** Longer than one try to download waits for its first byte, redirects and slow clocks included. */
const linkSeconds = 3_600

/** Whether a text is meant as the URL of an S3 object. */
export function isS3Url(text: string): boolean {
  return /^s3:/i.test(text)
}

/**
 * Reads `s3://bucket/key`. What comes after the bucket is the key as it is, with nothing to be decoded.
 *
 * @throws {IsoplexError} `URL_REFUSED`, `malformed`.
 */
export function parseS3Url(text: string): S3Location {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s.exec(text) ?? []
  const climbs = key?.split('/').some((segment) => segment === '.' || segment === '..')
  if (bucket !== undefined && key !== undefined && !climbs && key.isWellFormed()) {
    return Object.freeze({ bucket, key })
  }
  throw new IsoplexError(
    'URL_REFUSED',
    'An S3 URL must be "s3://bucket/key", without "." and ".." in the key.',
    {
      details: { reason: 'malformed' },
    },
  )
}

/**
 * Makes the link by which an object is downloaded like any other file, signed for an hour. Endpoint and credentials
 * are those of the environment (`S3_ENDPOINT`, `S3_ACCESS_KEY_ID`, `S3_SECRET_ACCESS_KEY`, `S3_REGION`,
 * `S3_SESSION_TOKEN`, or `AWS_` in place of `S3_`) where `options` names no others.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where there are none.
 */
export function locateS3({ bucket, key }: S3Location, options: S3Options): DownloadTarget {
  try {
    const url = new S3Client({ ...options, bucket }).presign(key, { method: 'GET', expiresIn: linkSeconds })
    // The operator's own server, be it in a private network.
    return { url, policy: { origins: [new URL(url).origin], hosts: [] } }
  } catch (error) {
    if (!hasCode(error, 'ERR_S3_MISSING_CREDENTIALS', 'ERR_S3_INVALID_SESSION_TOKEN')) throw error
    throw new IsoplexError(
      'CONFIG_INVALID',
      'There are no credentials for S3; set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, and S3_ENDPOINT where it is not Amazon.',
      { cause: error },
    )
  }
}
