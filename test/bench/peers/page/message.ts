/** Asks the worker to load the model. It answers `ready`. */
export interface StartRequest {
  readonly modelUrl: string
  /** Where ONNX Runtime's two files are. */
  readonly onnxModule: string
  readonly onnxWasm: string
}

/** Asks for so many digits to be read, all from the same pixels, one after the other. */
export interface ReadRequest {
  readonly pixels: Float32Array<ArrayBuffer>
  readonly count: number
}

/** What came of it. */
export interface ReadReply {
  readonly logits: readonly number[]
  /** How long each `session.run` took, in milliseconds. */
  readonly runMs: readonly number[]
}
