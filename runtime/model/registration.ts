import type { TransactionSQL } from 'bun'
import type { StagedArtifact } from './artifact-store.ts'
import type { ProgressOptions } from './progress.ts'
import type { ModelRow, VersionRow } from './registered-model.ts'

/** For whom a model is published, where not by the operator. */
export interface Publisher {
  readonly tenant: string | null
  /** The ids that may be published; `null` for any. */
  readonly models: readonly string[] | null
}

/** A model to be registered. */
export interface AddModelOptions extends ProgressOptions {
  /** Who adds it, for the audit. 1 to 256 characters, none of them a control character. */
  readonly actor: string
  /** 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter or digit. */
  readonly id: string
  /** The path of an `.onnx` file, a zip archive, or a folder that holds the model. */
  readonly source: string
  /** Whatever else is to be known of the model: values that JSON can carry. @default {} */
  readonly fields?: Readonly<Record<string, unknown>>
  /**
   * The tenant who is to own the model from now on, and alone may use it; `null` for every tenant. It need not have
   * been added. @default as it is, and every tenant where the model is new
   */
  readonly tenant?: string | null
  /**
   * Whoever publishes with limited rights: only models of the same tenant, or new ones, which are then that
   * tenant's. @default the operator, who may do all
   */
  readonly publisher?: Publisher
  /** Marks the model as that of a model folder, with the state that the folder had. @default added by hand */
  readonly folderFingerprint?: string
}

/** What became of a model that was added. */
export interface AddedModel {
  readonly id: string
  /** The version that is served from now on. */
  readonly version: number
  readonly digest: string
  readonly sizeBytes: number
  /** Whether this is a new version; `false` where the newest one stays. */
  readonly changed: boolean
}

/** A row that names an artifact. */
export type DigestRow = Pick<VersionRow, 'digest'>

/** What {@link register} did. */
export interface Registration {
  readonly added: AddedModel
  /** The versions that are gone. */
  readonly dropped: readonly DigestRow[]
}

// Whoever has just found the version before the newest one may still be about to load it.
const folderVersionsKept = 2

/** Registers a staged artifact within a transaction, and commits it to the store. */
export async function register(
  sql: TransactionSQL,
  artifact: StagedArtifact,
  options: AddModelOptions,
): Promise<Registration> {
  const { id } = options
  const fields = JSON.stringify(options.fields ?? {})
  const fingerprint = options.folderFingerprint ?? null
  const [newest] = await sql<ModelRow[]>`
    SELECT * FROM models JOIN versions ON model_id = id WHERE id = ${id} ORDER BY version DESC LIMIT 1`
  const addedByHand = newest !== undefined && newest.folder_fingerprint === null
  if (addedByHand && fingerprint !== null) return unchanged(newest)
  await sql`
    INSERT INTO models (id, folder_fingerprint, last_version) VALUES (${id}, ${fingerprint}, 0)
    ON CONFLICT (id) DO UPDATE SET folder_fingerprint = excluded.folder_fingerprint`
  await artifact.commit()
  if (newest?.digest === artifact.digest && newest.fields === fields) return unchanged(newest)
  const version = await insertVersion(sql, id, artifact, fields)
  const dropped = fingerprint === null ? [] : await dropOlderVersions(sql, id)
  const { digest, sizeBytes } = artifact
  return { added: Object.freeze({ id, version, digest, sizeBytes, changed: true }), dropped }
}

function unchanged({ model_id, version, digest, size_bytes }: VersionRow): Registration {
  const added = { id: model_id, version, digest, sizeBytes: size_bytes, changed: false }
  return { added: Object.freeze(added), dropped: [] }
}

async function insertVersion(
  sql: TransactionSQL,
  id: string,
  { digest, sizeBytes }: StagedArtifact,
  fields: string,
): Promise<number> {
  const [row] = await sql<{ version: number }[]>`
    INSERT INTO versions (model_id, version, digest, size_bytes, fields, added_at_ms)
    SELECT id, last_version + 1, ${digest}, ${sizeBytes}, ${fields}, ${Date.now()} FROM models WHERE id = ${id}
    RETURNING version`
  if (row === undefined) throw new Error(`model ${id} has no row to count its versions`)
  await sql`UPDATE models SET last_version = ${row.version} WHERE id = ${id}`
  return row.version
}

async function dropOlderVersions(sql: TransactionSQL, id: string): Promise<readonly DigestRow[]> {
  return sql<DigestRow[]>`
    DELETE FROM versions WHERE model_id = ${id} AND version NOT IN (
      SELECT version FROM versions WHERE model_id = ${id} ORDER BY version DESC LIMIT ${folderVersionsKept}
    ) RETURNING digest`
}
