/** How far a model is on its way into the page. */
export interface LocalProgress {
  /** `download` counts bytes from the network; `load` is the making of a session; `verify` the check of its provider. */
  readonly stage: 'download' | 'load' | 'verify'
  readonly model: string
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What computed an answer in the page. */
export interface LocalRun {
  /** `null` for a function without a model. */
  readonly provider: string | null
  /** Why it was this provider, where it was not the first choice; a sentence for people. */
  readonly reason: string | null
  readonly model: { readonly id: string; readonly version: string } | null
  /** How long the request waited in the worker, in milliseconds: for its turn, its function and its model. */
  readonly queueMs: number
  /** How long the function took, in milliseconds. */
  readonly inferMs: number
}
