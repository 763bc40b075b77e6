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

/** A version that an alias names, with its share of the requests. */
export interface AliasTarget {
  /** A version of the model. */
  readonly version: number
  /** A positive integer; the shares of an alias add up to any sum. */
  readonly weight: number
}

/** A name for one version of a model, or for several that share its requests. */
export interface RegisteredAlias {
  readonly alias: string
  /** In the order of their versions, newest first; at least one. */
  readonly targets: readonly AliasTarget[]
}

/** A model with all its versions. */
export interface RegisteredModel {
  readonly id: string
  /** The tenant who owns it and alone may use it; `null` where it is for every tenant. */
  readonly tenant: string | null
  /** The state of the folder that the model came from; `null` where it was added by hand. */
  readonly folderFingerprint: string | null
  /** Newest first; at least one. */
  readonly versions: readonly RegisteredVersion[]
  /** In the order of their names. */
  readonly aliases: readonly RegisteredAlias[]
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

/** A version beside its model, as a join of the two tables has it, with the model's aliases as JSON. */
export interface ModelRow extends VersionRow {
  readonly tenant: string | null
  readonly folder_fingerprint: string | null
  readonly aliases: string
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
      tenant: versions[0]?.tenant ?? null,
      folderFingerprint: versions[0]?.folder_fingerprint ?? null,
      versions: Object.freeze(versions.map(toRegisteredVersion)),
      aliases: toRegisteredAliases(versions[0]?.aliases ?? '[]'),
    }),
  )
  return Object.freeze(models)
}

/** Makes aliases of the JSON of `[alias, version, weight]` in any order. */
function toRegisteredAliases(json: string): readonly RegisteredAlias[] {
  const rows: readonly (readonly [alias: string, version: number, weight: number])[] = JSON.parse(json)
  const newestFirst = rows.toSorted(([, a], [, b]) => b - a)
  const aliases = [...Map.groupBy(newestFirst, ([alias]) => alias)].map(([alias, targets]) =>
    Object.freeze({
      alias,
      targets: Object.freeze(targets.map(([, version, weight]) => Object.freeze({ version, weight }))),
    }),
  )
  return Object.freeze(aliases.toSorted((a, b) => (a.alias < b.alias ? -1 : 1)))
}
