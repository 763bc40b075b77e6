import type { Credentials } from '../auth/credentials.ts'

/**
 * On whose behalf a request is answered, and so what its function's calls of other functions are made with. It stays in
 * the gateway: no replica sees credentials.
 */
export interface Caller {
  /** What the token says with which the client asked; `null` where none was sent. */
  readonly credentials: Credentials | null
  /** Where several versions of a model share the requests, equal keys get the same; `null` is the principal. */
  readonly stickyKey: string | null
  /** The functions that wait for this request's answer, outermost first; empty where a client does. */
  readonly chain: readonly string[]
}
