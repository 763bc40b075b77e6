import { Type } from '@sinclair/typebox'
import type { TokenAlgorithm } from './token-issuer-config.ts'

const algorithms: readonly TokenAlgorithm[] = [
  'HS256',
  'RS256',
  'ES256',
  'EdDSA',
  'dir',
  'ECDH-ES',
  'ECDH-ES+A256KW',
  'RSA-OAEP-256',
]
const algorithm = Type.Union(algorithms.map((value) => Type.Literal(value)))
const text = Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\u0000-\\u001f]+$' })
const closed = { additionalProperties: false }

const keySchema = Type.Object({ file: text, algorithm, id: Type.Optional(text) }, closed)

const common = {
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  issuer: Type.Optional(text),
  audience: Type.Optional(text),
  claims: Type.Optional(
    Type.Object(
      { model: Type.Optional(text), tenant: Type.Optional(text), accessToken: Type.Optional(text) },
      closed,
    ),
  ),
}

/** The schema of one issuer of tokens: its keys in files, or the address where it publishes them. */
export const issuerSchema = Type.Union([
  Type.Object({ ...common, keys: Type.Array(keySchema, { minItems: 1, maxItems: 64 }) }, closed),
  Type.Object(
    {
      ...common,
      jwksUrl: Type.String({ pattern: '^https?://[^\\s]{1,2000}$' }),
      algorithms: Type.Optional(Type.Array(algorithm, { minItems: 1 })),
    },
    closed,
  ),
])
