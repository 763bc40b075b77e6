import type { ReplyHead } from '../runner/head.ts'

/** How far a model is on its way into the page. */
export interface LocalProgress {
  /** `download` counts bytes from the network; `load` is the making of a session; `verify` the check of its provider. */
  readonly stage: 'download' | 'load' | 'verify'
  readonly model: string
  readonly doneBytes: number
  readonly totalBytes: number
}

/** A request for a function, in the form in which it would go to a server. */
export interface LocalRequest {
  readonly baseUrl: string
  /** The model token; `null` for none. */
  readonly token: string | null
  /** The function's name. */
  readonly name: string
  readonly requestId: string
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly params: Readonly<Record<string, string>>
  readonly contentType: string | null
  readonly accept: string | null
  readonly body: Uint8Array<ArrayBuffer>
  readonly signal: AbortSignal
  readonly onProgress: (progress: LocalProgress) => void
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

/** The answer of a function in the page. */
export interface LocalReply {
  readonly head: ReplyHead
  readonly body: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>
  readonly run: LocalRun
}

/** What answers requests in the page, as the client sees it. */
export interface LocalEngine extends AsyncDisposable {
  /**
   * Whether a function was built for pages, so that it is worth asking.
   *
   * @throws {IsoplexError} `FETCH_FAILED` where the list of such functions cannot be had.
   */
  offers(name: string, baseUrl: string): Promise<boolean>
  /**
   * Answers a request in the page's worker.
   *
   * @throws {IsoplexError} whatever the function fails with, as over HTTP; and what keeps it from running here.
   */
  answer(request: LocalRequest): Promise<LocalReply>
  /** Removes the artifacts, verdicts and lists that were kept for this origin. */
  clear(): Promise<void>
}
