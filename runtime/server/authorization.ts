import { readModelToken } from '../auth/bearer.ts'
import { anonymous, type Credentials } from '../auth/credentials.ts'
import type { TokenVerifier } from '../auth/verifier.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import { IsoplexError } from '../error/error.ts'
import type { ResolvedModel } from '../model/resolve.ts'
import type { Asking, ModelAccess } from './model-access.ts'

/** Who asks, and which model answers. */
export interface Authorization {
  /**
   * Who pays: `tenant:` and the tenant that the backend confirmed, else `access:` and a digest of the access token,
   * else `issuer:` and the name of who issued the token; `anonymous` without a token.
   */
  readonly principal: string
  /** `null` for a function without a model. */
  readonly model: ResolvedModel | null
  /** What the token says by which they ask; `null` where none was sent. */
  readonly credentials: Credentials | null
}

/** What decides whether a request may go on. */
export interface Authorizer {
  readonly verifier: TokenVerifier
  readonly models: ModelAccess
  /** Whether a request without a token may use default models: in `dev`, on a loopback address. */
  readonly trustsLoopback: boolean
}

/** Requests with the same text in this header get the same version of a model, where several share the requests. */
export const stickyHeader = 'x-sticky-key'

/**
 * Settles who asks and which model answers. A token that is sent must be good, even where none is needed.
 *
 * @throws {IsoplexError} `TOKEN_MISSING`, `TOKEN_INVALID`, `MODEL_NOT_FOUND`, `MODEL_FORBIDDEN`,
 * `BACKEND_UNAVAILABLE`, `BACKEND_BROKEN`, or why the model's artifact cannot be had.
 */
export async function authorize(
  headers: Headers,
  fn: FunctionManifest,
  authorizer: Authorizer,
): Promise<Authorization> {
  const { models } = authorizer
  const asking = await authenticate(headers, fn, authorizer)
  const { credentials } = asking
  if ('modelId' in asking) {
    const stickyKey = headers.get(stickyHeader)
    const { modelId } = asking
    const granted = credentials
      ? models.grant(credentials, stickyKey)
      : models.grantDefault(modelId, stickyKey)
    return { ...(await granted), credentials }
  }
  const principal = credentials ? await models.confirm(credentials) : anonymous
  return { principal, model: null, credentials }
}

/**
 * Settles who asks, and for which model where the function has one; whether they may is another question.
 *
 * @throws {IsoplexError} `TOKEN_MISSING`, `TOKEN_INVALID`
 */
export async function authenticate(
  headers: Headers,
  fn: FunctionManifest,
  { verifier, trustsLoopback }: Omit<Authorizer, 'models'>,
): Promise<Asking | Pick<Asking, 'credentials'>> {
  const token = readModelToken(headers)
  if (token === null) {
    if (fn.access === 'token' && !trustsLoopback) throw tokenMissing(fn)
    if (!fn.model) return { credentials: null }
    if (fn.model.default === undefined) throw tokenMissing(fn)
    return { credentials: null, modelId: fn.model.default }
  }
  const credentials = await verifier.verify(token)
  return fn.model ? { credentials, modelId: credentials.modelId } : { credentials }
}

function tokenMissing({ name }: FunctionManifest): IsoplexError<'TOKEN_MISSING'> {
  return new IsoplexError(
    'TOKEN_MISSING',
    `"${name}" needs a model token: send one in the header serve_multiplexed_model_id, or as Authorization: Bearer.`,
  )
}
