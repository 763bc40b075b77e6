import type { PageModel } from './model.ts'

/** A model's artifact in the page: its files, checked against the digest that its grant names. */
export interface ArtifactFolder {
  /** The SHA-256 of the artifact, in lower-case hexadecimal. */
  readonly digest: string
  /** What the files take together, in bytes. */
  readonly bytes: number
  /** The paths of the files within the artifact, with `/` between the segments. */
  readonly names: readonly string[]
  /**
   * Reads a file. The bytes are the caller's.
   *
   * @throws {IsoplexError} `ARTIFACT_BROKEN` where the artifact has no such file, or what was kept is no longer whole.
   */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>
}

/** How an artifact is to be had. */
export interface ObtainOptions {
  /** The server that the model's `url` belongs to. */
  readonly baseUrl: string
  /** Ends the download. */
  readonly signal: AbortSignal
  /** Called while bytes come from the network; never for an artifact that was kept. */
  onProgress(doneBytes: number, totalBytes: number): void
  /**
   * Asks for the model again, for a new link, where the server does not take its link any more. The download then goes
   * on from where it was. @default the download fails with `GRANT_INVALID`
   */
  renew?(): Promise<PageModel>
}

/** Where a page has its artifacts from: downloaded once, then kept by their digests. */
export interface ArtifactStore {
  /**
   * Gets an artifact, downloaded where it is not kept.
   *
   * @throws {IsoplexError} `FETCH_FAILED`, `ARTIFACT_BROKEN` or `GRANT_INVALID`.
   */
  obtain(model: PageModel, options: ObtainOptions): Promise<ArtifactFolder>
  /** Removes all that is kept for this origin. Folders in use stay readable or fail as broken. */
  clear(): Promise<void>
}
