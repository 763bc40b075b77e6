import { readModelToken } from '../auth/bearer.ts'
import { anonymous, type Credentials, withModel } from '../auth/credentials.ts'
import type { TokenVerifier } from '../auth/verifier.ts'
import type { GraphModelManifest } from '../build/graph-manifest.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import { IsoplexError } from '../error/error.ts'
import { composeModels, type ModelPart } from '../model/composite.ts'
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
  const credentials = await verifiedOf(headers, authorizer)
  const stickyKey = fn.model || fn.graph ? readStickyKey(headers) : null
  return await grantAccess({ credentials, stickyKey, modelId: null }, fn, authorizer)
}

/**
 * Settles who asks, and for which model where the function has one; whether they may is another question.
 *
 * @throws {IsoplexError} `TOKEN_MISSING`, `TOKEN_INVALID`
 */
export async function authenticate(
  headers: Headers,
  fn: FunctionManifest,
  authorizer: Omit<Authorizer, 'models'>,
): Promise<Asking | Pick<Asking, 'credentials'>> {
  return askingOf({ credentials: await verifiedOf(headers, authorizer), modelId: null }, fn, authorizer)
}

/** What a request says of which version of a model it prefers; `null` where it says nothing. */
export function readStickyKey(headers: Headers): string | null {
  return headers.get(stickyHeader)
}

/** Who asks, be it a client or, on a client's behalf, a function. */
export interface Asker {
  readonly credentials: Credentials | null
  readonly stickyKey: string | null
  /** The model that is asked for beside the token; `null` for that of the token, or without one the function's own. */
  readonly modelId: string | null
}

/** What of a function decides who may ask it, and for which model. */
export type GrantedFunction = Pick<FunctionManifest, 'name' | 'access' | 'model' | 'graph'>

/**
 * Settles who pays and which model answers, by what a token says that has been verified. The models of a graph are
 * granted one by one, as they would be to calls of its nodes, and answer together.
 *
 * @throws {IsoplexError} as {@link authorize}, less `TOKEN_INVALID` for a token that cannot be verified.
 */
export async function grantAccess(
  { stickyKey, ...asker }: Asker,
  fn: GrantedFunction,
  authorizer: Omit<Authorizer, 'verifier'>,
): Promise<Authorization> {
  const { models } = authorizer
  const { credentials } = asker
  const asking = askingOf(asker, fn, authorizer)
  if (fn.graph && fn.graph.models.length > 0) {
    return await grantParts({ stickyKey, ...asker }, fn.graph.models, authorizer)
  }
  if (!('modelId' in asking)) {
    return {
      principal: credentials ? await models.confirm(credentials) : anonymous,
      model: null,
      credentials,
    }
  }
  const granted = asking.credentials
    ? models.grant(asking.credentials, stickyKey)
    : models.grantDefault(asking.modelId, stickyKey)
  return { ...(await granted), credentials }
}

/** The principal is the same for each: it is of the token. */
async function grantParts(
  asker: Asker,
  parts: readonly GraphModelManifest[],
  authorizer: Omit<Authorizer, 'verifier'>,
): Promise<Authorization> {
  const granted = await Promise.all(
    parts.map((part) => grantAccess(askerOfPart(asker, part), functionOfPart(part), authorizer)),
  )
  const models = parts.flatMap(({ function: name, asked }, position): readonly ModelPart[] => {
    const model = granted[position]?.model
    return model ? [{ function: name, asked, model }] : []
  })
  const principal = granted[0]?.principal ?? anonymous
  return { principal, model: composeModels(models), credentials: asker.credentials }
}

/** Who asks for one of the models of a graph: who asks the graph, for what the graph says. */
export function askerOfPart<Who extends Pick<Asker, 'modelId'>>(
  asker: Who,
  { asked }: GraphModelManifest,
): Who {
  return { ...asker, modelId: asked ?? asker.modelId }
}

/** The function whose model is one of those of a graph. */
export function functionOfPart({
  function: name,
  access,
  default: defaultId,
}: GraphModelManifest): GrantedFunction {
  return { name, access, model: defaultId === null ? {} : { default: defaultId } }
}

async function verifiedOf(
  headers: Headers,
  { verifier }: Pick<Authorizer, 'verifier'>,
): Promise<Credentials | null> {
  const token = readModelToken(headers)
  return token === null ? null : await verifier.verify(token)
}

/**
 * In whose name the backend is asked, and for which model where the function has one.
 *
 * @throws {IsoplexError} `TOKEN_MISSING`
 */
export function askingOf(
  { credentials, modelId }: Omit<Asker, 'stickyKey'>,
  fn: GrantedFunction,
  { trustsLoopback }: Pick<Authorizer, 'trustsLoopback'>,
): Asking | Pick<Asking, 'credentials'> {
  if (credentials !== null) {
    if (!fn.model) return { credentials }
    const asked = modelId === null ? credentials : withModel(credentials, modelId)
    return { credentials: asked, modelId: asked.modelId }
  }
  if (fn.access === 'token' && !trustsLoopback) throw tokenMissing(fn)
  if (!fn.model) return { credentials }
  const defaultId = modelId ?? fn.model.default
  if (defaultId === undefined) throw tokenMissing(fn)
  return { credentials, modelId: defaultId }
}

function tokenMissing({ name }: GrantedFunction): IsoplexError<'TOKEN_MISSING'> {
  return new IsoplexError(
    'TOKEN_MISSING',
    `"${name}" needs a model token: send one in the header serve_multiplexed_model_id, or as Authorization: Bearer.`,
  )
}
