import type { SQL } from 'bun'
import { type AccessRights, parseModels } from './access-table.ts'
import { hashAccessToken } from './access-token.ts'
import type { Caller } from './backend.ts'
import type { ModelName } from './model-name.ts'
import { type RegisteredVersion, toRegisteredVersion, type VersionRow } from './registered-model.ts'
import type { AccessFacts, CallerFacts, ModelFacts } from './rights.ts'

/** A version that was asked for, with its share of the requests. */
export interface SelectedVersion extends RegisteredVersion {
  readonly weight: number
}

/** An access that was found by its token. */
export interface FoundAccess extends AccessFacts {
  readonly id: number
  readonly rights: AccessRights
}

/** All that the registry knows of a question, as of one moment. */
export interface QuestionFacts {
  readonly caller: CallerFacts & { readonly access: FoundAccess | 'unknown' | 'none-carried' }
  /** `null` where the model is not there. */
  readonly model: ModelFacts | null
  /** Newest first; none where the model does not have what was asked for. */
  readonly versions: readonly SelectedVersion[]
}

interface QuestionRow extends Omit<VersionRow, 'version'> {
  readonly access_id: number | null
  readonly access_tenant: string | null
  readonly access_tenant_revoked_at_ms: number | null
  readonly access_models: string | null
  readonly access_rights: AccessRights
  readonly access_expires_at_ms: number | null
  readonly access_revoked_at_ms: number | null
  readonly claimed_revoked_at_ms: number | null
  readonly owner: string | null
  readonly has_versions: 0 | 1
  readonly version: number | null
  readonly weight: number
}

/**
 * Reads what the registry knows of a caller and of a model. It is one statement, so that no change of rights falls
 * between what it reads.
 *
 * @param name the model, `null` where none is asked for
 */
export async function readQuestionFacts(
  sql: SQL,
  caller: Caller,
  name: ModelName | null,
  nowMs: number,
): Promise<QuestionFacts> {
  const rows = await selectRows(sql, caller, name)
  const [first] = rows
  if (first === undefined) throw new Error('the registry gave no row for a question')
  return Object.freeze({
    caller: Object.freeze({
      claimedTenant: caller.tenant,
      claimedTenantRevoked: first.claimed_revoked_at_ms !== null,
      proven: caller.proven,
      access: caller.accessToken === null ? 'none-carried' : toFoundAccess(first),
      nowMs,
    }),
    model: name !== null && first.has_versions ? Object.freeze({ id: name.id, owner: first.owner }) : null,
    versions: Object.freeze(rows.filter(hasVersion).map(toSelectedVersion)),
  })
}

async function selectRows(
  sql: SQL,
  { tenant, accessToken }: Caller,
  name: ModelName | null,
): Promise<readonly QuestionRow[]> {
  const hash = accessToken === null ? null : hashAccessToken(accessToken)
  const id = name?.id ?? null
  const selector = name?.selector
  const newestOf = selector?.kind === 'newest' ? id : null
  const version = selector?.kind === 'version' ? selector.version : null
  const alias = selector?.kind === 'alias' ? selector.alias : null
  return sql<QuestionRow[]>`
    WITH selected (version, weight) AS (
      SELECT * FROM (SELECT version, 1 FROM versions WHERE model_id = ${newestOf} ORDER BY version DESC LIMIT 1)
      UNION ALL SELECT version, 1 FROM versions WHERE model_id = ${id} AND version = ${version}
      UNION ALL SELECT version, weight FROM aliases WHERE model_id = ${id} AND alias = ${alias}
    )
    SELECT
      accesses.id AS access_id, accesses.tenant AS access_tenant, accesses.models AS access_models,
      accesses.rights AS access_rights, accesses.expires_at_ms AS access_expires_at_ms,
      accesses.revoked_at_ms AS access_revoked_at_ms, own.revoked_at_ms AS access_tenant_revoked_at_ms,
      claimed.revoked_at_ms AS claimed_revoked_at_ms, models.tenant AS owner,
      EXISTS (SELECT 1 FROM versions WHERE model_id = ${id}) AS has_versions, selected.weight, versions.*
    FROM (SELECT 1)
    LEFT JOIN accesses ON token_hash = ${hash}
    LEFT JOIN tenants AS own ON own.name = accesses.tenant
    LEFT JOIN tenants AS claimed ON claimed.name = ${tenant}
    LEFT JOIN models ON models.id = ${id}
    LEFT JOIN selected ON TRUE
    LEFT JOIN versions ON versions.model_id = models.id AND versions.version = selected.version
    ORDER BY versions.version DESC`
}

function toFoundAccess(row: QuestionRow): FoundAccess | 'unknown' {
  if (row.access_id === null) return 'unknown'
  return Object.freeze({
    id: row.access_id,
    tenant: row.access_tenant,
    tenantRevoked: row.access_tenant_revoked_at_ms !== null,
    models: parseModels(row.access_models),
    rights: row.access_rights,
    expiresAtMs: row.access_expires_at_ms,
    revoked: row.access_revoked_at_ms !== null,
  })
}

function hasVersion(row: QuestionRow): row is QuestionRow & VersionRow {
  return row.version !== null
}

function toSelectedVersion(row: QuestionRow & VersionRow): SelectedVersion {
  return Object.freeze({ ...toRegisteredVersion(row), weight: row.weight })
}
