import { assertInput, isName, nameRule } from './input.ts'
import { modelForbidden } from './model-id.ts'
import type { ProgressOptions } from './progress.ts'
import type { VersionRow } from './registered-model.ts'
import { mayPublish } from './rights.ts'
import type { StagedArtifact } from './stored-artifact.ts'
import type { Change, Transaction } from './transaction.ts'

/** For whom a model is published, where not by the operator. */
export interface Publisher {
  readonly tenant: string | null
  /** The ids that may be published; `null` for any. */
  readonly models: readonly string[] | null
}

/** A model to be registered. */
export interface AddModelOptions extends ProgressOptions, Change {
  /** 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter or digit. */
  readonly id: string
  /** The path of an `.onnx` file, a zip archive, or a folder that holds the model. */
  readonly source: string
  /**
   * Whatever else is to be known of the model: values that JSON can carry. With `browser: true` pages of browsers are
   * given the model, and its fields. @default {}
   */
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

/** The newest version of a model, beside what its table says of the model. */
interface NewestRow extends VersionRow {
  readonly tenant: string | null
  readonly folder_fingerprint: string | null
}

/**
 * Registers a staged artifact within a transaction, and commits it to the store.
 *
 * @throws {IsoplexError} `MODEL_FORBIDDEN` where a publisher may not.
 */
export async function register(
  transaction: Transaction,
  artifact: StagedArtifact,
  options: AddModelOptions,
): Promise<Registration> {
  const { sql, note } = transaction
  const { id } = options
  const fields = JSON.stringify(options.fields ?? {})
  const fingerprint = options.folderFingerprint ?? null
  const [newest] = await sql<NewestRow[]>`
    SELECT * FROM models JOIN versions ON model_id = id WHERE id = ${id} ORDER BY version DESC LIMIT 1`
  const byHand = newest !== undefined && newest.folder_fingerprint === null
  if (byHand && fingerprint !== null) return unchanged(newest)
  const tenant = ownerOf(newest, options)
  await sql`
    INSERT INTO models (id, tenant, folder_fingerprint, last_version) VALUES (${id}, ${tenant}, ${fingerprint}, 0)
    ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, folder_fingerprint = excluded.folder_fingerprint`
  await artifact.commit()
  const { digest, sizeBytes } = artifact
  const facts = { digest, tenant, fromFolder: fingerprint !== null }
  if (newest?.digest === digest && newest.fields === fields) {
    const moved = newest.tenant !== tenant || byHand !== (fingerprint === null)
    if (moved) await note('model.add', `${id}@${newest.version}`, facts)
    return unchanged(newest)
  }
  const version = await insertVersion(transaction, id, artifact, fields)
  const dropped = fingerprint === null ? [] : await dropOlderVersions(transaction, id)
  await note('model.add', `${id}@${version}`, facts)
  return { added: Object.freeze({ id, version, digest, sizeBytes, changed: true }), dropped }
}

/** Holds the options of a model that is to be added to their bounds, but for its id and its source. */
export function assertAddModelOptions({ fields = {}, tenant, publisher }: AddModelOptions): void {
  assertInput(
    ['/fields', isRecord(fields), 'an object'],
    ['/tenant', tenant === undefined || isOwner(tenant), `null, or ${nameRule}`],
    ['/publisher/tenant', publisher === undefined || isOwner(publisher.tenant), `null, or ${nameRule}`],
  )
}

function isOwner(value: unknown): boolean {
  return value === null || isName(value)
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Who is to own a model from now on. */
function ownerOf(newest: NewestRow | undefined, { id, tenant, publisher }: AddModelOptions): string | null {
  const owner = newest?.tenant ?? null
  if (publisher === undefined) return tenant === undefined ? owner : tenant
  const may = mayPublish(publisher, id, newest === undefined ? null : { id, owner })
  if (may && (tenant === undefined || tenant === publisher.tenant)) return publisher.tenant
  throw modelForbidden(
    id,
    `The access gives no right to publish the model "${id}"; ask who administers the registry.`,
  )
}

function unchanged({ model_id, version, digest, size_bytes }: VersionRow): Registration {
  const added = { id: model_id, version, digest, sizeBytes: size_bytes, changed: false }
  return { added: Object.freeze(added), dropped: [] }
}

async function insertVersion(
  { sql, nowMs }: Transaction,
  id: string,
  { digest, sizeBytes }: StagedArtifact,
  fields: string,
): Promise<number> {
  const [row] = await sql<{ version: number }[]>`
    INSERT INTO versions (model_id, version, digest, size_bytes, fields, added_at_ms)
    SELECT id, last_version + 1, ${digest}, ${sizeBytes}, ${fields}, ${nowMs} FROM models WHERE id = ${id}
    RETURNING version`
  if (row === undefined) throw new Error(`model ${id} has no row to count its versions`)
  await sql`UPDATE models SET last_version = ${row.version} WHERE id = ${id}`
  return row.version
}

/** Those that an alias names are kept beside the newest. */
async function dropOlderVersions({ sql }: Transaction, id: string): Promise<readonly DigestRow[]> {
  return sql<DigestRow[]>`
    DELETE FROM versions WHERE model_id = ${id} AND version NOT IN (
      SELECT version FROM versions WHERE model_id = ${id} ORDER BY version DESC LIMIT ${folderVersionsKept}
    ) AND version NOT IN (SELECT version FROM aliases WHERE model_id = ${id}) RETURNING digest`
}
