import type { PieceRange } from '../../job/service.ts'
import type { ContentPiece } from '../../job/store.ts'
import { linesMediaType } from '../admin/progress-reply.ts'
import { type ByteRange, parseRange } from '../registry/byte-range.ts'
import { streamHead } from './stream-head.ts'

/** Reads a piece of a content. */
export type ReadPiece = (range: PieceRange) => Promise<ContentPiece>

/** The most bytes that one reader keeps in memory. */
const pieceBytes = 256 * 1024
const mediaTypeForm = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\w-]+=[\w.+-]+)*$/
/** What a browser shows of these is text, whatever stands in it. */
const plainTypes: ReadonlySet<string> = new Set(['application/json', linesMediaType])

/**
 * Answers with a content of a job, or a part of it (RFC 9110, section 14), piece by piece as it is read. It is what an
 * action has made of what strangers have sent: no browser may take it for a page of this server.
 *
 * @param name what it is called when it is saved
 * @throws {IsoplexError} `RANGE_UNSATISFIABLE`, and what the reading throws
 */
export async function contentReply(
  { method, headers }: Request,
  name: string,
  read: ReadPiece,
): Promise<Response> {
  const first = await read({ offset: 0, maxBytes: pieceBytes })
  const { mediaType, totalBytes } = first
  const type = mediaTypeForm.test(mediaType) ? mediaType : 'application/octet-stream'
  const common = {
    'content-type': type,
    'content-disposition': `${plainTypes.has(type) ? 'inline' : 'attachment'}; filename="${name}"`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
  }
  if (method === 'HEAD')
    return totalBytes > pieceBytes ? streamHead(common) : new Response(first.bytes, { headers: common })
  // Without a validator nobody can know that the beginning that he has is of the same content.
  const asked = headers.has('if-range') ? null : parseRange(headers.get('range'), totalBytes)
  const range = asked ?? { start: 0, end: totalBytes }
  const body =
    range.end <= first.bytes.length
      ? first.bytes.slice(range.start, range.end)
      : openContent(read, range, totalBytes)
  if (asked === null) return new Response(body, { headers: common })
  const contentRange = `bytes ${range.start}-${range.end - 1}/${totalBytes}`
  return new Response(body, { status: 206, headers: { ...common, 'content-range': contentRange } })
}

function openContent(
  read: ReadPiece,
  { start, end }: ByteRange,
  totalBytes: number,
): ReadableStream<Uint8Array> {
  let offset = start
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await read({ offset, maxBytes: Math.min(pieceBytes, end - offset) })
          // The name may have come to mean another content since.
          if (piece.totalBytes !== totalBytes || piece.bytes.length === 0)
            throw new Error('The content has changed.')
          offset += piece.bytes.length
          controller.enqueue(piece.bytes)
          if (offset >= end) controller.close()
        } catch (error) {
          controller.error(error)
        }
      },
    },
    { highWaterMark: 0 },
  )
}
