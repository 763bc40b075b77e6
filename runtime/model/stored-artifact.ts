/** An artifact by its content. */
export interface StoredArtifact {
  /** The SHA-256 of its bytes, in lower-case hexadecimal. */
  readonly digest: string
  readonly sizeBytes: number
}

/** An artifact as a file of the store. */
export interface ArtifactFile extends StoredArtifact {
  readonly path: string
}

/** An artifact that is whole and checked, but not yet in the store. One of the two is to be called. */
export interface StagedArtifact extends StoredArtifact {
  /** Puts it into the store, in the place of the same one that may be there. */
  commit(): Promise<void>
  discard(): Promise<void>
}
