/** What was done to the registry. */
export type AuditAction =
  | 'model.add'
  | 'model.remove'
  | 'alias.set'
  | 'alias.remove'
  | 'tenant.add'
  | 'tenant.revoke'
  | 'access.add'
  | 'access.revoke'

/** One change of the registry. */
export interface AuditEntry {
  /** They count up. */
  readonly id: number
  /** In milliseconds since 1970. */
  readonly atMs: number
  /** Who did it, as the caller of the registry named them. */
  readonly actor: string
  readonly action: AuditAction
  /** What it was done to: a model such as `digits@3`, an alias such as `digits@prod`, a tenant, an access's id. */
  readonly target: string
  /** Values that JSON can carry; never a secret. */
  readonly details: Readonly<Record<string, unknown>>
}

/** Which part of the audit is asked for. */
export interface AuditPage {
  /** How many entries at most: 1 to 1,000. */
  readonly limit: number
  /** Only entries older than the one of this id. @default the newest */
  readonly before?: number
}
