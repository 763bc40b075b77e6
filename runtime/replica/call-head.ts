import type { HandleOptions } from '../define/handle.ts'

/**
 * What a runner says of a call that its function makes, beside the bytes of the input: plain data, which crosses a socket
 * as JSON.
 */
export interface CallHead {
  /** The id of the request, in the runner's hands, that the function answers when it calls; 0 where it answers none. */
  readonly parent: number
  /** The name of the function that is called. */
  readonly function: string
  /** The model that is to answer; `null` leaves it to the caller's token, then to the function. */
  readonly model: HandleOptions['model'] | null
  /** The deployment that is to answer; `null` is the function's own. */
  readonly deployment: HandleOptions['deployment'] | null
  /** How long it may take, in milliseconds; `null` until the caller's own deadline. */
  readonly timeoutMs: number | null
  readonly params: Readonly<Record<string, string>>
  /** The query as a URL has it, without its question mark; empty for none. */
  readonly query: string
  /** The media type of the input's bytes; `null` where there is no input. */
  readonly contentType: string | null
}
