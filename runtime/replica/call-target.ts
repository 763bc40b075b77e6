import type { ResolvedModel } from '../model/resolve.ts'
import type { CallHead } from './call-head.ts'
import type { Caller } from './caller.ts'
import type { Deployment } from './deployment.ts'

/** Which function is called, by whom, and on whose behalf. */
export interface CallQuestion {
  /** What calls: its code tells which build of the other is meant. */
  readonly from: Deployment
  readonly caller: Caller
  readonly head: CallHead
}

/** What answers a call. */
export interface CallTarget {
  readonly deployment: Deployment
  readonly model: ResolvedModel | null
  readonly method: string
  /** Path and query, as they would stand in a request. */
  readonly url: string
}

/** Knows the functions that can be called, and who may use which model. */
export interface CallTargets {
  /**
   * Finds what answers a call.
   *
   * @throws {IsoplexError} `FUNCTION_NOT_FOUND`, `DEPLOYMENT_NOT_FOUND`, `TOKEN_MISSING`, and whatever keeps the caller
   * from the model.
   */
  find(question: CallQuestion): Promise<CallTarget>
}
