import type { ArtifactFile } from '../../model/stored-artifact.ts'
import { matchesTag } from '../entity-tag.ts'
import { type ByteRange, parseRange } from './byte-range.ts'

/**
 * Answers with an artifact or a part of it (RFC 9110, sections 13 and 14), streamed from the file. Its digest is its
 * entity tag, so what was begun can always be resumed.
 *
 * @throws {IsoplexError} `RANGE_UNSATISFIABLE`
 */
export function artifactReply({ method, headers }: Request, file: ArtifactFile): Response {
  const { path, sizeBytes } = file
  const tag = `"${file.digest}"`
  const common = {
    etag: tag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=0',
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  }
  if (matchesTag(headers.get('if-none-match'), tag))
    return new Response(null, { status: 304, headers: common })
  const range = method === 'GET' ? requestedRange(headers, tag, sizeBytes) : null
  if (range) {
    const { start, end } = range
    const contentRange = `bytes ${start}-${end - 1}/${sizeBytes}`
    return new Response(Bun.file(path).slice(start, end), {
      status: 206,
      headers: { ...common, 'content-range': contentRange },
    })
  }
  // Bun would follow a range by its own rules wherever a file is sent without this header.
  const whole = headers.has('range') ? { 'content-range': `bytes 0-${sizeBytes - 1}/${sizeBytes}` } : {}
  return new Response(Bun.file(path), { headers: { ...common, ...whole } })
}

/** A range counts unless the client had the beginning of something else. */
function requestedRange(headers: Headers, tag: string, sizeBytes: number): ByteRange | null {
  const condition = headers.get('if-range')
  return condition === null || condition.trim() === tag ? parseRange(headers.get('range'), sizeBytes) : null
}
