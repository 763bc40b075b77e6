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

/** One of the models of a graph. */
export interface PagePart {
  /** The name of the function that the graph calls. */
  readonly function: string
  /** The model that the graph asks the function for; `null` where that is left to the token, then to the function. */
  readonly asked: string | null
  readonly model: PageModel
}

/** What `GET /-/grants/:function` answers for a graph: a model for each of its functions that has one. */
export interface PageParts {
  readonly parts: readonly PagePart[]
}
