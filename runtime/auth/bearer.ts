import { IsoplexError } from '../error/error.ts'

// Proxies turn underscores into hyphens; clients send underscores.
const tokenHeaders = ['serve_multiplexed_model_id', 'serve-multiplexed-model-id'] as const
const bearerScheme = /^bearer +(.*)$/i

/**
 * The model token of a request: the header `serve_multiplexed_model_id`, in either spelling, or
 * `Authorization: Bearer`; `null` where none is sent. Other schemes of `Authorization` are left alone, and the
 * same token in several places is one token. The token is not looked into.
 *
 * @throws {IsoplexError} `TOKEN_INVALID` where two different tokens are sent.
 */
export function readModelToken(headers: Headers): string | null {
  const [underscored, hyphenated] = tokenHeaders
  const sent = [headers.get(underscored), headers.get(hyphenated)]
  const authorization = headers.get('authorization')
  if (authorization === null && sent.every((header) => header === null)) return null
  const tokens = sent.flatMap(valuesOf)
  for (const value of valuesOf(authorization)) {
    const token = bearerScheme.exec(value)?.[1]?.trim() ?? ''
    if (token !== '') tokens.push(token)
  }
  const [first = null] = tokens
  if (tokens.every((token) => token === first)) return first
  const message = 'The request carries two different model tokens; send one.'
  throw new IsoplexError('TOKEN_INVALID', message, { details: { reason: 'claims' } })
}

/** The values of a header, which may be sent several times and then stands joined with commas. */
function valuesOf(header: string | null): readonly string[] {
  if (header === null) return []
  return header
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
}

/**
 * The `WWW-Authenticate` of a 401 (RFC 6750, section 3): a request without a token is told the scheme, one
 * with a bad token also why. It repeats nothing of the request.
 */
export function toChallenge(error: IsoplexError<'TOKEN_MISSING'> | IsoplexError<'TOKEN_INVALID'>): string {
  const realm = 'Bearer realm="isoplex"'
  if (error.code === 'TOKEN_MISSING') return realm
  // Of what prints in ASCII, a quoted description may hold all but quotes and backslashes.
  const description = error.message.replace(/[^ !#-[\]-~]/g, "'")
  return `${realm}, error="invalid_token", error_description="${description}"`
}
