import type { SchemaIssue } from '../error/codes.ts'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { fromProblem } from '../error/wire.ts'
import { retryAfterMsOf } from '../model/reply-range.ts'
import { readJson } from '../network/json-reply.ts'
import type { WholeReply } from '../network/whole-reply.ts'

/** A reply that is no success. */
export type FailedReply = Pick<WholeReply, 'status' | 'headers' | 'bytes'>

const longestText = 2_000
const mostIssues = 32
const defaultRetryMs = 1_000

/**
 * The error that a reply stands for: that of its problem document where the server is ours, else the code of its status,
 * with the server's own text. Servers of FastAPI tell more under `detail`, which is read here.
 */
export function replyError({ status, headers, bytes }: FailedReply): AnyIsoplexError {
  const body = readJson(bytes)
  const value = body.kind === 'json' ? body.value : new TextDecoder().decode(bytes).trim()
  const ours = fromProblem(value, headers.get('x-request-id'))
  if (ours) return ours
  const detail = isRecord(value) && 'detail' in value ? value.detail : value
  const message =
    status < 400
      ? `The server answers ${status} and sends calls elsewhere, where a token must not go; name the final address.`
      : `The server answers ${status}: ${textOf(detail)}`
  return byStatus(status, message, { detail, headers }) as AnyIsoplexError
}

interface Facts {
  readonly detail: unknown
  readonly headers: Headers
}

function byStatus(status: number, message: string, { detail, headers }: Facts): IsoplexError {
  const retryAfterMs = retryAfterMsOf(headers, Date.now()) ?? defaultRetryMs
  switch (status) {
    case 401:
      return new IsoplexError('TOKEN_INVALID', message, { details: { reason: 'refused' } })
    case 403:
      return new IsoplexError('ACCESS_FORBIDDEN', message)
    case 404:
      return new IsoplexError('ROUTE_NOT_FOUND', message)
    case 405: {
      const allow = headers.get('allow')?.split(/\s*,\s*/) ?? []
      return new IsoplexError('METHOD_NOT_ALLOWED', message, { details: { allow } })
    }
    case 400:
      return new IsoplexError('REQUEST_MALFORMED', message)
    case 422:
      return new IsoplexError('INPUT_INVALID', message, { details: { issues: issuesOf(detail) } })
    case 429:
      return new IsoplexError('SHARE_EXCEEDED', message, { details: { retryAfterMs } })
    case 503:
      return isGpuAbsence(detail)
        ? new IsoplexError('PROVIDER_UNAVAILABLE', message, { details: { missing: ['gpu'] } })
        : new IsoplexError('QUEUE_FULL', message, { details: { retryAfterMs } })
    case 504:
      return new IsoplexError('DEADLINE_EXCEEDED', message)
    default:
      return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'status', status } })
  }
}

/** The errors of a FastAPI server, each with the place as a JSON pointer below the body. */
function issuesOf(detail: unknown): readonly SchemaIssue[] {
  if (!Array.isArray(detail)) return []
  return detail.slice(0, mostIssues).flatMap((issue: unknown) => {
    if (!isRecord(issue) || !Array.isArray(issue.loc)) return []
    const [place, ...names] = issue.loc.map(String)
    const pointer = (place === 'body' ? names : [place ?? '', ...names]).map(escapeName)
    return [{ path: pointer.map((name) => `/${name}`).join(''), message: textOf(issue.msg) }]
  })
}

function escapeName(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isGpuAbsence(detail: unknown): boolean {
  return isRecord(detail) && detail.error_type === 'gpu_unavailable'
}

function textOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'it does not say why.'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
