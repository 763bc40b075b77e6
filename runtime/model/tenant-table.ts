/** A tenant of the registry. */
export interface RegisteredTenant {
  readonly name: string
  /** When it was added, in milliseconds since 1970; the last time, where it was revoked and added again. */
  readonly addedAtMs: number
  /** `null` while it counts. */
  readonly revokedAtMs: number | null
}
