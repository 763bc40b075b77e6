import type { LocalProgress, LocalRun } from '../page/run.ts'
import type { ReplyHead } from '../runner/head.ts'

/** A request for a function, in the form in which it would go to a server. */
export interface LocalRequest {
  readonly baseUrl: string
  /** The model token; `null` for none. */
  readonly token: string | null
  /** Where several versions of the model share the requests, equal keys get the same one; `null` for none. */
  readonly stickyKey: string | null
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
   * @throws {IsoplexError} whatever the function fails with, as over HTTP; `REPLICA_CRASHED` or `DEVICE_LOST` where
   * the page's worker fails it, `FETCH_FAILED` where something that it takes cannot be had.
   * @throws {unknown} the signal's reason, where it has fired.
   */
  answer(request: LocalRequest): Promise<LocalReply>
  /** Removes the artifacts, verdicts and lists that were kept for this origin. What is loaded stays loaded. */
  clear(): Promise<void>
}
