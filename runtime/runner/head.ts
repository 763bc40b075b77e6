/** What a runner is told of a request beside the bytes of its body. Plain data: it crosses a socket as JSON. */
export interface RequestHead {
  readonly requestId: string
  readonly principal: string
  readonly method: string
  /** Path and query as requested. */
  readonly url: string
  /** The path parameters as text, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly contentType: string | null
  readonly accept: string | null
  /** The headers less those that carry credentials; only where the function asks for requests as sent. */
  readonly headers: readonly (readonly [string, string])[]
  /** Whether a function that calls has named the model that answers, in place of the token. @default false */
  readonly modelNamed?: boolean
  /** The functions that wait for the answer, outermost first. @default none: a client does */
  readonly callers?: readonly string[]
}

/** What precedes the bytes of a reply. */
export interface ReplyHead {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
}

/** The head of most replies: it is known by itself and need not be sent. */
export const jsonReplyHead: ReplyHead = Object.freeze({
  status: 200,
  headers: Object.freeze([Object.freeze(['content-type', 'application/json'] as const)]),
})
