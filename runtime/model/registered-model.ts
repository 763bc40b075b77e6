/** A version of a model. */
export interface RegisteredVersion {
  /** They count 1, 2, 3, and none is given twice. */
  readonly version: number
  /** The SHA-256 of the artifact, in lower-case hexadecimal. */
  readonly digest: string
  /** The bytes of the artifact as it is stored. */
  readonly sizeBytes: number
  readonly fields: Readonly<Record<string, unknown>>
  /** When it was added, in milliseconds since 1970. */
  readonly addedAtMs: number
}

/** A model with all its versions. */
export interface RegisteredModel {
  readonly id: string
  /** The state of the folder that the model came from; `null` where it was added by hand. */
  readonly folderFingerprint: string | null
  /** Newest first; at least one. */
  readonly versions: readonly RegisteredVersion[]
}

/** A version as the registry's table has it. */
export interface VersionRow {
  readonly model_id: string
  readonly version: number
  readonly digest: string
  readonly size_bytes: number
  readonly fields: string
  readonly added_at_ms: number
}

/** A version beside its model, as a join of the two tables has it. */
export interface ModelRow extends VersionRow {
  readonly folder_fingerprint: string | null
}

/** Makes a version of its row. */
export function toRegisteredVersion(row: VersionRow): RegisteredVersion {
  return Object.freeze({
    version: row.version,
    digest: row.digest,
    sizeBytes: row.size_bytes,
    fields: Object.freeze(JSON.parse(row.fields)),
    addedAtMs: row.added_at_ms,
  })
}

/** Makes models of rows that are ordered by model, and by version from the newest down. */
export function toRegisteredModels(rows: readonly ModelRow[]): readonly RegisteredModel[] {
  const models = [...Map.groupBy(rows, (row) => row.model_id)].map(([id, versions]) =>
    Object.freeze({
      id,
      folderFingerprint: versions[0]?.folder_fingerprint ?? null,
      versions: Object.freeze(versions.map(toRegisteredVersion)),
    }),
  )
  return Object.freeze(models)
}
