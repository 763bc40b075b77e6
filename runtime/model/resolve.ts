import type { ModelInfo } from '../define/context.ts'
import type { ArtifactStore } from './artifact-store.ts'
import type { Backend, ModelRecord } from './backend.ts'
import { modelNotFound } from './model-id.ts'

/** A model that is ready to be loaded. Plain data, fit to be sent between threads. */
export interface ResolvedModel {
  /**
   * The model key: backend, tenant where the backend is scoped by tenant, id and version. Equal keys mean the
   * same model; it is made of nothing else, so that it may be logged.
   */
  readonly key: string
  /** The bytes of the artifact as it is stored. */
  readonly sizeBytes: number
  /** The backend's fields with `id`, `version`, and `path`, the folder of the unpacked artifact. */
  readonly info: ModelInfo
}

/** Where models are found and kept. */
export interface ModelResolverOptions {
  readonly backend: Backend
  readonly store: ArtifactStore
}

/** Finds models and makes them ready. */
export interface ModelResolver {
  /**
   * Finds a model and unpacks its artifact. Calls for the same model and tenant at the same time are one call.
   * Nothing is remembered: the next call asks the backend again.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`, `MODEL_FORBIDDEN`, `ARTIFACT_BROKEN`, `STORAGE_FULL`.
   */
  resolve(modelId: string, tenant: string | null): Promise<ResolvedModel>
}

/** Makes a resolver of a backend and the store of this host. */
export function createModelResolver({ backend, store }: ModelResolverOptions): ModelResolver {
  const resolving = new Map<string, Promise<ResolvedModel>>()

  const resolve = async (modelId: string, tenant: string | null): Promise<ResolvedModel> => {
    const record = await backend.find(modelId, tenant)
    const path = await store.unpack(record.digest)
    const { id, version, sizeBytes, fields } = record
    const key = toModelKey(backend, tenant, record)
    return Object.freeze({ key, sizeBytes, info: Object.freeze({ ...fields, id, version, path }) })
  }

  return Object.freeze({
    async resolve(modelId: string, tenant: string | null) {
      if (!modelId.isWellFormed() || tenant?.isWellFormed() === false) throw modelNotFound(modelId)
      const call = JSON.stringify([modelId, tenant])
      const running = resolving.get(call) ?? resolve(modelId, tenant).finally(() => resolving.delete(call))
      resolving.set(call, running)
      return running
    },
  })
}

function toModelKey(
  { name, tenantScoped }: Backend,
  tenant: string | null,
  { id, version }: ModelRecord,
): string {
  const scope = tenantScoped ? (tenant ?? '') : ''
  return `${[name, scope, id].map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`
}
