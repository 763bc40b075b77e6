import { createHash } from 'node:crypto'
import { anonymous, type Credentials, withModel } from '../auth/credentials.ts'
import type { FoundModel, ModelQuestion, ModelRecord } from '../model/backend.ts'
import type { ResolvedModel } from '../model/resolve.ts'
import { type AnswerCacheOptions, createAnswerCache } from './answer-cache.ts'
import { chooseVersion } from './version-share.ts'

/** Where the gateway asks for models and callers: the backend and the store, off its loop. */
export interface ModelSource {
  /** As `Backend.find`. */
  find(question: ModelQuestion): Promise<FoundModel>
  /** As `Backend.confirm`. */
  confirm(question: ModelQuestion): Promise<string | null>
  /** As `ModelResolver.prepare`. */
  prepare(record: ModelRecord, tenant: string | null): Promise<ResolvedModel>
}

/** Who pays for a request, and which model answers it. */
export interface GrantedModel {
  readonly principal: string
  readonly model: ResolvedModel
}

/** Tells who may use which model, and has it ready. It remembers what it was told, for a short while. */
export interface ModelAccess {
  /**
   * The model that a token names. Where several versions share the requests, `stickyKey` decides: equal keys get
   * the same version; without one, that of the principal.
   *
   * @throws {IsoplexError} `MODEL_FORBIDDEN`, `MODEL_NOT_FOUND` and whatever else `Backend.find` and
   * `ModelResolver.prepare` throw
   */
  grant(credentials: Credentials, stickyKey: string | null): Promise<GrantedModel>
  /**
   * A model that needs no token.
   *
   * @throws {IsoplexError} `MODEL_FORBIDDEN`, `MODEL_NOT_FOUND` and the others of {@link grant}
   */
  grantDefault(modelId: string, stickyKey: string | null): Promise<GrantedModel>
  /**
   * The principal of a caller who needs no model.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` and whatever else `Backend.confirm` throws
   */
  confirm(credentials: Credentials): Promise<string>
  /**
   * What the backend says of a model that a caller may use, with none of its files; `null` is a caller without a token.
   *
   * @throws {IsoplexError} as {@link grant}, less what keeps the files from being had.
   */
  describe(asking: Asking, stickyKey: string | null): Promise<ModelRecord>
}

interface Version {
  readonly weight: number
  readonly record: ModelRecord
  /** What tells this version's files from others, for all callers alike. */
  readonly key: string
}

interface Grant {
  readonly tenant: string | null
  readonly principal: string
  readonly versions: readonly Version[]
}

type ChosenVersion = Omit<Grant, 'versions'> & Version

/** Who asks for which model; `null` where anybody may. */
export interface Asking {
  readonly modelId: string
  readonly credentials: Credentials | null
}

/** Makes the access to the models of a source. */
export function createModelAccess(source: ModelSource, options: AnswerCacheOptions = {}): ModelAccess {
  const grants = createAnswerCache(async (asking: Asking): Promise<Grant> => {
    const { tenant, versions } = await source.find(questionOf(asking))
    const keyed = versions.map(({ weight, record }) => ({ weight, record, key: keyOf(record, tenant) }))
    return { tenant, principal: principalOf(asking.credentials, tenant), versions: keyed }
  }, options)
  const confirmations = createAnswerCache(async (credentials: Credentials) => {
    const { modelId } = credentials
    return principalOf(credentials, await source.confirm(questionOf({ modelId, credentials })))
  }, options)
  const models = createAnswerCache(
    ({ record, tenant }: { record: ModelRecord; tenant: string | null }) => source.prepare(record, tenant),
    options,
  )
  const choose = async ({ modelId, credentials }: Asking, sticky: string | null): Promise<ChosenVersion> => {
    const own = credentials && withModel(credentials, modelId)
    const key = own?.identity ?? `${anonymous} ${modelId}`
    const { tenant, principal, versions } = await grants(key, { modelId, credentials: own })
    // With the model's name, so that those who are first to see one canary are not the first to see all.
    return { tenant, principal, ...chooseVersion(versions, `${modelId}\n${sticky ?? principal}`) }
  }
  const grant = async (asking: Asking, sticky: string | null): Promise<GrantedModel> => {
    const { principal, key, record, tenant } = await choose(asking, sticky)
    return { principal, model: await models(key, { record, tenant }) }
  }
  return Object.freeze({
    grant: (credentials: Credentials, stickyKey: string | null) =>
      grant({ modelId: credentials.modelId, credentials }, stickyKey),
    grantDefault: (modelId: string, stickyKey: string | null) =>
      grant({ modelId, credentials: null }, stickyKey),
    describe: async (asking: Asking, stickyKey: string | null) => (await choose(asking, stickyKey)).record,
    confirm: (credentials: Credentials) => confirmations(credentials.identity, credentials),
  })
}

/** What a backend is asked. Where anybody may ask, the operator has said so: that is as good as proven. */
function questionOf({ modelId, credentials }: Asking): ModelQuestion {
  const { tenant = null, accessToken = null, proven = true } = credentials ?? {}
  return { modelId, tenant, accessToken, proven }
}

function principalOf(credentials: Credentials | null, tenant: string | null): string {
  if (credentials === null) return anonymous
  if (tenant !== null) return `tenant:${tenant}`
  const { accessToken, issuer } = credentials
  return accessToken === null ? `issuer:${issuer}` : `access:${digestOf(accessToken)}`
}

/** A link to an artifact differs from caller to caller; what lies behind it does not. */
function keyOf({ id, version, artifact }: ModelRecord, tenant: string | null): string {
  const { digest, checksum } = artifact
  return JSON.stringify([tenant, id, version, digest ?? checksum ?? artifact.stamp])
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
