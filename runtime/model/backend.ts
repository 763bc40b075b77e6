/** A model as its backend knows it. */
export interface ModelRecord {
  readonly id: string
  /** The backend's own version, else the digest of the artifact: another one means another model. */
  readonly version: string
  /** The SHA-256 of the artifact, in lower-case hexadecimal. */
  readonly digest: string
  /** The bytes of the artifact as it is stored. */
  readonly sizeBytes: number
  /** Whatever else the backend says of the model: values that JSON can carry. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Where the metadata of models comes from. What it gives is plain data, fit to be sent between threads. */
export interface Backend {
  /** Tells one backend from another in the keys of models. */
  readonly name: string
  /** Whether one id means another model for another tenant. */
  readonly tenantScoped: boolean
  /**
   * Finds the version of a model that is to be served now.
   *
   * @param tenant the tenant of the token, `null` where it names none; a backend that is not scoped by tenant
   * ignores it
   * @throws {IsoplexError} `MODEL_NOT_FOUND`
   */
  find(modelId: string, tenant: string | null): Promise<ModelRecord>
}
