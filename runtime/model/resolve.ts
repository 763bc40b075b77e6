import { LRUCache } from 'lru-cache'
import type { ModelInfo } from '../define/context.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { ArtifactStore } from './artifact-store.ts'
import type { Backend, FoundModel, ModelQuestion, ModelRecord } from './backend.ts'
import type { ModelPart } from './composite.ts'
import { modelNotFound } from './model-id.ts'
import type { ProgressOptions } from './progress.ts'
import { sumOfFiles } from './unpacked-folder.ts'

/** A model that is ready to be loaded. Plain data, fit to be sent between threads. */
export interface ResolvedModel {
  /**
   * The model key: backend, tenant where the backend is scoped by tenant, id and version. Equal keys mean the
   * same bytes; it is made of nothing else, so that it may be logged.
   */
  readonly key: string
  /**
   * The SHA-256 of the artifact, in lower-case hexadecimal: the store keeps it while the model is in use. Of several
   * models it is that of their digests, and stands for no artifact: `digestsOf` has those.
   */
  readonly digest: string
  /** What the files of the unpacked artifact take, in bytes. */
  readonly bytes: number
  /** The backend's fields with `id`, `version`, and `path`, the folder of the unpacked artifact. */
  readonly info: ModelInfo
  /** What it is made of, where it is several models that a graph's runner holds together; none for a single one. */
  readonly parts?: readonly ModelPart[]
}

/** Where models are found and kept. */
export interface ModelResolverOptions {
  readonly backend: Backend
  readonly store: ArtifactStore
}

/** Finds models and makes them ready. Nothing is remembered but what lies in the store, and how large that is. */
export interface ModelResolver {
  /**
   * Asks the backend which versions of a model a caller may use.
   *
   * @throws {IsoplexError} `TOKEN_INVALID`, `MODEL_FORBIDDEN`, `MODEL_NOT_FOUND`, `BACKEND_UNAVAILABLE`,
   * `BACKEND_BROKEN`; as `Backend.find`
   */
  find(question: ModelQuestion): Promise<FoundModel>
  /**
   * Has the artifact of a record downloaded, where it is not here, and unpacked. However many ask for one artifact,
   * that is done once.
   *
   * @param tenant the tenant that the backend confirmed beside the record
   * @throws {IsoplexError} `ARTIFACT_BROKEN`, `STORAGE_FULL`, `FETCH_FAILED`.
   */
  prepare(record: ModelRecord, tenant: string | null, options?: ProgressOptions): Promise<ResolvedModel>
}

const shownDigestLength = 12
// 128 bits: nobody makes another artifact that begins with the same.
const keyDigestLength = 32

/** Makes a resolver of a backend and the store of this host. */
export function createModelResolver({ backend, store }: ModelResolverOptions): ModelResolver {
  // What a digest stands for never changes.
  const sizes = new LRUCache<string, number>({ max: 10_000 })
  return Object.freeze({
    async find(question: ModelQuestion) {
      if (!question.modelId.isWellFormed()) throw modelNotFound(question.modelId)
      return backend.find(question)
    },
    async prepare(record: ModelRecord, tenant: string | null, options: ProgressOptions = {}) {
      const origin = `${backend.name}/${record.id}`
      const digest = await store.obtain(record.artifact, origin, options).catch(blameBackend)
      const path = await store.unpack(digest, { ...options, origin })
      const { id, fields } = record
      const version = record.version ?? digest.slice(0, shownDigestLength)
      const key = toModelKey(backend, tenant, record, digest)
      const bytes = sizes.get(digest) ?? (await sumOfFiles(path))
      sizes.set(digest, bytes)
      return Object.freeze({ key, digest, bytes, info: Object.freeze({ ...fields, id, version, path }) })
    },
  })
}

/** A URL that may not be fetched is no fault of who asks for the model: the backend's metadata has it. */
function blameBackend(error: unknown): never {
  if (!isIsoplexError(error) || error.code !== 'URL_REFUSED') throw error
  const message = `The model backend names a file that may not be fetched. ${error.message}`
  throw new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason: `url-${error.details.reason}` } })
}

/** Holds the digest whatever the version says: two tenants may have different bytes under one id and version. */
function toModelKey(
  { name, tenantScoped }: Backend,
  tenant: string | null,
  { id, version }: ModelRecord,
  digest: string,
): string {
  const scope = tenantScoped ? (tenant ?? '') : ''
  const parts = [name, scope, id].map(encodeURIComponent).join('/')
  return `${parts}@${encodeURIComponent(version ?? '')}~${digest.slice(0, keyDigestLength)}`
}
