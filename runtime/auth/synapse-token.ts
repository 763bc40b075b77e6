import { CompactSign } from 'jose'

/** What a Synapse model token says. */
export interface SynapseTokenClaims {
  /** The model's id in the backend; the token carries it as text. */
  readonly modelId: number | string
  /** The user's access token. Whoever sees the model token can read it. */
  readonly token: string
  /** The backend's URL, which is the signing key: to the byte the one that the server knows. */
  readonly backendUrl: string
  /** The tenant, where the backend scopes models by one. @default none */
  readonly tenant?: string | null
}

/**
 * Makes the model token that the Synapse SDK makes of the same facts, byte for byte: no time, no nonce, so
 * equal facts give equal tokens. Its key is public knowledge: it names a model and carries an access token,
 * and proves nothing. `createModelToken` makes tokens that do.
 *
 * @example
 * const token = await createServeMultiplexedModelId({ modelId: 34, token: accessToken, backendUrl })
 * await fetch(url, { method: 'POST', headers: { serve_multiplexed_model_id: token }, body })
 *
 * @throws {TypeError} where `backendUrl` is empty or `modelId` a number that is no safe integer.
 */
export function createServeMultiplexedModelId({
  modelId,
  token,
  backendUrl,
  tenant,
}: SynapseTokenClaims): Promise<string> {
  if (backendUrl === '') throw new TypeError('"backendUrl" must not be empty: it is the signing key.')
  if (typeof modelId === 'number' && !Number.isSafeInteger(modelId)) {
    throw new TypeError(`"modelId" must be a safe integer or a text; got ${modelId}.`)
  }
  const claims = { model: String(modelId), token, ...(tenant ? { tenant } : {}) }
  const encoder = new TextEncoder()
  return new CompactSign(encoder.encode(toAsciiJson(claims)))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(encoder.encode(backendUrl))
}

/** JSON as Python writes it with `ensure_ascii`: everything that does not print in ASCII is escaped. */
function toAsciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
