import { readModelToken } from '../auth/bearer.ts'
import type { Credentials, TokenVerifier } from '../auth/verifier.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import { IsoplexError } from '../error/error.ts'
import type { ResolvedModel } from '../replica/deployment.ts'

/** Finds the model that a token's holder may use; it may wait for a backend. */
export type ResolveModel = (modelId: string, tenant: string | null) => Promise<ResolvedModel>

/** Who asks, and which model answers. */
export interface Authorization {
  /** Who pays: the tenant that the token's own issuer confirmed, `default` without one, `anonymous` without a token. */
  readonly principal: string
  /** `null` for a function without a model. */
  readonly model: ResolvedModel | null
}

/** What decides whether a request may go on. */
export interface Authorizer {
  readonly verifier: TokenVerifier
  readonly resolve: ResolveModel
  /** Whether a request without a token may use default models: in `dev`, on a loopback address. */
  readonly trustsLoopback: boolean
}

/**
 * Settles who asks and which model answers. A token that is sent must be good, even where none is needed.
 *
 * @throws {IsoplexError} `TOKEN_MISSING`, `TOKEN_INVALID`, `MODEL_NOT_FOUND`, `MODEL_FORBIDDEN`, or why the
 * model's artifact cannot be had.
 */
export async function authorize(
  headers: Headers,
  fn: FunctionManifest,
  { verifier, resolve, trustsLoopback }: Authorizer,
): Promise<Authorization> {
  const token = readModelToken(headers)
  const credentials = token === null ? null : await verifier.verify(token)
  if (!credentials && fn.access === 'token' && !trustsLoopback) throw tokenMissing(fn)
  const principal = credentials?.principal ?? 'anonymous'
  if (!fn.model) return { principal, model: null }
  const modelId = modelIdOf(credentials, fn)
  return { principal, model: await resolve(modelId, credentials?.tenant ?? null) }
}

function modelIdOf(credentials: Credentials | null, fn: FunctionManifest): string {
  const modelId = credentials?.modelId ?? fn.model?.default
  if (modelId === undefined) throw tokenMissing(fn)
  return modelId
}

function tokenMissing({ name }: FunctionManifest): IsoplexError<'TOKEN_MISSING'> {
  return new IsoplexError(
    'TOKEN_MISSING',
    `"${name}" needs a model token: send one in the header serve_multiplexed_model_id, or as Authorization: Bearer.`,
  )
}
