/** Who asks a backend, by what its token says. */
export interface Caller {
  /** The tenant that is claimed, `null` for none. */
  readonly tenant: string | null
  /** The access token that the backend has to check, `null` where none was carried. Never to be logged. */
  readonly accessToken: string | null
  /**
   * Whether the claims are proven by an issuer that the operator trusts. Where they are not, a backend answers only
   * for an access token that it knows.
   */
  readonly proven: boolean
}

/** Somebody who asks for a model. */
export interface ModelQuestion extends Caller {
  /** The model as the token names it: `digits`, `digits@3` or `digits@prod`. */
  readonly modelId: string
}

/** A checksum that a backend gives of an artifact, in lower-case hexadecimal. */
export interface Checksum {
  readonly algorithm: 'sha256' | 'md5'
  readonly value: string
}

/** The bytes of a model version. */
export interface Artifact {
  /** The SHA-256 by which the store of this host has it; `null` where it must be downloaded to know. */
  readonly digest: string | null
  /** Where it is downloaded from: an http, https or `s3:` URL; `null` where it is in the store already. */
  readonly url: string | null
  readonly checksum: Checksum | null
  readonly sizeBytes: number | null
  /**
   * Changes whenever the bytes behind the URL may have changed: the artifact of the same origin and stamp is not
   * downloaded again.
   */
  readonly stamp: string
}

/** A version of a model as its backend knows it. Plain data. */
export interface ModelRecord {
  /** The model's id, without a selector. */
  readonly id: string
  /** The backend's own version; `null` where it has none, and the artifact's digest counts. */
  readonly version: string | null
  readonly artifact: Artifact
  /** Whatever else the backend says of the model: values that JSON can carry. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** A version that may answer, with its share of the requests. */
export interface WeightedRecord {
  /** A positive integer; the shares of a model add up to any sum. */
  readonly weight: number
  readonly record: ModelRecord
}

/** What a backend grants a caller. */
export interface FoundModel {
  /** The tenant that the backend confirmed for this caller, `null` where it confirmed none. */
  readonly tenant: string | null
  /** At least one; several where requests are shared out among versions. */
  readonly versions: readonly WeightedRecord[]
}

/** Where the metadata of models comes from, and who may use them. */
export interface Backend {
  /** Tells one backend from another in the keys of models. */
  readonly name: string
  /** Whether one id means another model for another tenant. */
  readonly tenantScoped: boolean
  /**
   * Finds the versions of a model that are to be served now, if the caller may use them.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` with the reason `refused` where the access token is not taken,
   * `MODEL_FORBIDDEN`, `MODEL_NOT_FOUND`, `BACKEND_UNAVAILABLE`, `BACKEND_BROKEN`.
   */
  find(question: ModelQuestion): Promise<FoundModel>
  /**
   * Checks a caller whom no model is asked for, and gives the tenant that is confirmed. `question.modelId` is what
   * its token names; the caller need not have a right to it.
   *
   * @throws {IsoplexError} as {@link find}, less `MODEL_FORBIDDEN` and `MODEL_NOT_FOUND` for the model.
   */
  confirm(question: ModelQuestion): Promise<string | null>
}
