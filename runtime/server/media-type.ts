import type { FunctionManifest } from '../build/manifest.ts'
import { takesMediaType } from '../define/schema.ts'
import { IsoplexError } from '../error/error.ts'

/** Refuses before the body is read what the function could not read. @throws {IsoplexError} `MEDIA_TYPE_UNSUPPORTED` */
export function assertMediaType(headers: Headers, { accepts, name }: FunctionManifest): void {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase()
  if (encoding && encoding !== 'identity') {
    throw unsupported(`Bodies encoded as ${encoding.slice(0, 64)} are not taken; send it as it is.`, accepts)
  }
  const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (!mediaType || takesMediaType(accepts, mediaType) || mediaType.endsWith('+json')) return
  throw unsupported(`"${name}" takes ${accepts.join(' or ')}; got ${mediaType.slice(0, 128)}.`, accepts)
}

function unsupported(message: string, accepted: readonly string[]): IsoplexError<'MEDIA_TYPE_UNSUPPORTED'> {
  return new IsoplexError('MEDIA_TYPE_UNSUPPORTED', message, { details: { accepted } })
}

/** Whether an `Accept` header names a media type. A wildcard does not count: whoever takes anything gets the usual. */
export function namesMediaType(accept: string | null, mediaType: string): boolean {
  return (
    accept?.split(',').some((range) => range.split(';', 1)[0]?.trim().toLowerCase() === mediaType) ?? false
  )
}
