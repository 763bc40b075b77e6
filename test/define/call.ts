import type { FunctionLog } from '../../runtime/define/context.ts'
import type { Call, Callers } from '../../runtime/define/definition.ts'

const silent: FunctionLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** A call as a runner makes it, with what a test cares for. */
export function callOf(facts: Partial<Call> = {}): Call {
  return {
    requestId: 'request-1',
    principal: 'default',
    input: undefined,
    params: undefined,
    query: undefined,
    signal: new AbortController().signal,
    state: undefined,
    model: undefined,
    modelId: '',
    modelInfo: { id: '', version: '', path: '' },
    log: silent,
    request: { method: 'POST', url: '/', headers: new Headers(), body: new Uint8Array() },
    getModel: async () => facts.model,
    fetchInput: () => Promise.reject(new Error('No runner is here to fetch anything.')),
    handle: () => {
      throw new Error('No runner is here to call others.')
    },
    ...facts,
  }
}

/** A signal that never fires. */
export const patient: Callers = new AbortController()
