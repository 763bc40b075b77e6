import { join } from 'node:path'
import type { TransactionSQL } from 'bun'
import type { ArtifactStore } from './artifact-store.ts'
import type { Backend, FoundModel, ModelQuestion } from './backend.ts'
import { assertModelId, isModelId, modelNotFound } from './model-id.ts'
import {
  type ModelRow,
  type RegisteredModel,
  toRegisteredModels,
  toRegisteredVersion,
  type VersionRow,
} from './registered-model.ts'
import { type AddedModel, type AddModelOptions, type DigestRow, register } from './registration.ts'
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.ts'
import { toStorageError } from './storage-error.ts'

/** Where a registry lies and where its artifacts are. */
export interface RegistryOptions {
  /** The folder of `registry.sqlite`. It must exist, and not be on a network file system. */
  readonly directory: string
  readonly store: ArtifactStore
}

/**
 * Opens the embedded registry: models by their ids, each with versions. Any number of processes may have it open.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file is no registry or one of a newer isoplex, `STORAGE_FULL`.
 */
export async function openRegistry({ directory, store }: RegistryOptions): Promise<Registry> {
  return new Registry(await openRegistryDatabase(join(directory, 'registry.sqlite')), store)
}

/** The embedded registry. Made by {@link openRegistry}; it is to be closed. */
export class Registry implements Backend {
  readonly name = 'embedded'
  readonly tenantScoped = false
  readonly #database: RegistryDatabase
  readonly #store: ArtifactStore

  constructor(database: RegistryDatabase, store: ArtifactStore) {
    this.#database = database
    this.#store = store
  }

  /**
   * Finds the newest version of a model. An id means the same for every tenant.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`
   */
  async find({ modelId, tenant }: ModelQuestion): Promise<FoundModel> {
    if (!isModelId(modelId)) throw modelNotFound(modelId)
    const [row] = await this.#database.reading<VersionRow[]>`
      SELECT * FROM versions WHERE model_id = ${modelId} ORDER BY version DESC LIMIT 1`
    if (row === undefined) throw modelNotFound(modelId)
    const { version, digest, sizeBytes, fields } = toRegisteredVersion(row)
    const artifact = { digest, url: null, checksum: null, sizeBytes, stamp: digest }
    const record = Object.freeze({ id: modelId, version: String(version), artifact, fields })
    return Object.freeze({ tenant, versions: [{ weight: 1, record }] })
  }

  /** Checks a caller whom no model is asked for. */
  async confirm({ tenant }: ModelQuestion): Promise<string | null> {
    return tenant
  }

  /** All models, in the order of their ids. */
  async list(): Promise<readonly RegisteredModel[]> {
    return toRegisteredModels(
      await this.#database.reading<ModelRow[]>`
        SELECT * FROM models JOIN versions ON model_id = id ORDER BY id, version DESC`,
    )
  }

  /**
   * One model with all its versions.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`
   */
  async show(id: string): Promise<RegisteredModel> {
    if (!isModelId(id)) throw modelNotFound(id)
    const [model] = toRegisteredModels(
      await this.#database.reading<ModelRow[]>`
        SELECT * FROM models JOIN versions ON model_id = id WHERE id = ${id} ORDER BY version DESC`,
    )
    if (model === undefined) throw modelNotFound(id)
    return model
  }

  /**
   * Registers a model, or a new version of it; the one that was added last is the one that is served. Adding
   * again what the newest version is already, with the same fields, changes nothing.
   *
   * A model that was added by hand takes the id over from a model folder of that name, and keeps it: adding the
   * folder's then changes nothing. Of a model from a folder the newest two versions are kept, of one added by
   * hand all.
   *
   * @throws {IsoplexError} `INPUT_INVALID` at a wrong id or source, `ARTIFACT_BROKEN` with the reason,
   * `STORAGE_FULL`.
   */
  async add(options: AddModelOptions): Promise<AddedModel> {
    assertModelId(options.id)
    const artifact = await this.#store.stage(options.source, options)
    try {
      const { added, dropped } = await this.#write((sql) => register(sql, artifact, options))
      await this.#prune(dropped)
      return added
    } finally {
      await artifact.discard()
    }
  }

  /**
   * Removes a model, or one version of it, and the artifacts that no model names any more. Whoever has it loaded
   * keeps it until it is unloaded. Its version numbers are not given again.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`
   */
  async remove(id: string, version?: number): Promise<void> {
    const name = version === undefined ? id : `${id}@${version}`
    if (!isModelId(id)) throw modelNotFound(name)
    const dropped = await this.#write(
      async (sql): Promise<DigestRow[]> =>
        version === undefined
          ? await sql`DELETE FROM versions WHERE model_id = ${id} RETURNING digest`
          : await sql`DELETE FROM versions WHERE model_id = ${id} AND version = ${version} RETURNING digest`,
    )
    if (dropped.length === 0) throw modelNotFound(name)
    await this.#prune(dropped)
  }

  /** Closes the database. */
  async close(): Promise<void> {
    await this.#database.close()
  }

  /** Removes artifacts that are named no more. The transaction keeps others from naming them meanwhile. */
  async #prune(dropped: readonly DigestRow[]): Promise<void> {
    for (const { digest } of dropped) {
      await this.#write(async (sql) => {
        const [named] = await sql`SELECT 1 FROM versions WHERE digest = ${digest} LIMIT 1`
        if (named === undefined) await this.#store.remove(digest)
      })
    }
  }

  async #write<Result>(work: (sql: TransactionSQL) => Promise<Result>): Promise<Result> {
    try {
      return await this.#database.write(work)
    } catch (error) {
      throw toStorageError(error)
    }
  }
}
