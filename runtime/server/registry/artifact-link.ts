import type { ArtifactGrants } from '../../auth/grant.ts'

/** A link to an artifact that needs no token. */
export interface ArtifactLink {
  /** Path and query: good for one artifact, for whoever has it. Never to be logged. */
  readonly path: string
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** What links are made with. */
export interface ArtifactLinkOptions {
  readonly grants: Pick<ArtifactGrants, 'make'>
  /** The time, in milliseconds since 1970. */
  readonly now: () => number
}

/** How long a link is good, in milliseconds. */
const linkMs = 900_000

/** Makes a link to an artifact of this host's store, by its digest. It is good for 15 minutes. */
export function createArtifactLink(digest: string, { grants, now }: ArtifactLinkOptions): ArtifactLink {
  const expiresAtMs = now() + linkMs
  const grant = encodeURIComponent(grants.make(digest, expiresAtMs))
  return { path: `/-/registry/artifacts/${digest}?grant=${grant}`, expiresAtMs }
}
