import type { CallSource, HandleOpener } from '../../runtime/runner/call.ts'
import { CallingRequest } from '../../runtime/runner/calling-request.ts'
import { headOf } from '../replica/request-head.ts'

/** A request as a runner has it in hand, of a function called `caller`. */
export function callSource(facts: Partial<CallSource> = {}): CallSource {
  return {
    head: headOf(),
    body: new Uint8Array(),
    signal: new AbortController().signal,
    place: { request: new CallingRequest(1, null), chain: ['caller'], waits: null },
    ...facts,
  }
}

/** For functions that call no others. */
export const noHandles: HandleOpener = () => () => {
  throw new Error('Nothing is called here.')
}
