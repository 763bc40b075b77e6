/**
 * What `GET /-/grants/:function` answers to whoever sends a model token for it: the model that answers, and a link
 * to its artifact that is good for that artifact alone, for a while.
 */
export interface PageModel {
  /** Equal keys mean the same bytes. */
  readonly key: string
  readonly id: string
  readonly version: string
  /** Whatever else the backend says of the model. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The SHA-256 of the artifact, in lower-case hexadecimal: an `.onnx` file or a zip archive. */
  readonly digest: string
  readonly sizeBytes: number
  /** Where the artifact is: a path below the server's base URL, as `/-/grants/` is. It takes ranges. */
  readonly url: string
  /** When the link ends, in milliseconds since 1970. */
  readonly expiresAtMs: number
}
