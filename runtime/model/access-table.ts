/**
 * What an access may do: `use` models, also `publish` them, also `admin`ister the registry. Each holds the one before.
 */
export type AccessRights = 'use' | 'publish' | 'admin'

/** An access to be added. */
export interface AccessOptions {
  /** The tenant for whom it is; `null` for none, and then it gives only models that are for every tenant. */
  readonly tenant: string | null
  /** The ids of the models that it gives, at most 1,000; `null` for all that its tenant may use. */
  readonly models: readonly string[] | null
  readonly rights: AccessRights
  /** What people know it by: up to 200 characters, none of them a control character. */
  readonly label: string
  /** When it ends, in milliseconds since 1970: a time to come; `null` for never. */
  readonly expiresAtMs: number | null
}

/** An access of the registry, without its token. */
export interface RegisteredAccess extends AccessOptions {
  /** They count 1, 2, 3, and none is given twice. */
  readonly id: number
  readonly addedAtMs: number
  /** `null` while it is not revoked; it may have expired all the same. */
  readonly revokedAtMs: number | null
}

/** An access that was just added. */
export interface CreatedAccess {
  readonly id: number
  /** Its token, which nobody can find out again. */
  readonly token: string
}

/** What an access token gives its bearer. */
export interface CheckedAccess {
  readonly id: number
  readonly tenant: string | null
  readonly models: readonly string[] | null
  readonly rights: AccessRights
}
