import type {
  FetchedInput,
  FunctionLog,
  InputFetchOptions,
  ModelInfo,
  RawRequest,
} from '../define/context.ts'
import type { Call } from '../define/definition.ts'
import type { OpenHandle } from '../define/handle.ts'
import type { ModelLoader } from '../define/model.ts'
import type { CallPlace } from './calling-request.ts'
import type { Decoded } from './decoder.ts'
import type { RequestHead } from './head.ts'

/** Fetches an input that a request gives by URL, as far as the place where the runner is lets it; ends with the signal. */
export type InputFetch = (
  url: string,
  options: InputFetchOptions,
  signal: AbortSignal,
) => Promise<FetchedInput>

/** What all calls of one runner share. */
export interface RunnerFacts {
  readonly state: unknown
  readonly model: unknown
  /** What has loaded the model; `null` for a function without one. */
  readonly loader: ModelLoader<unknown> | null
  readonly modelInfo: ModelInfo
  readonly log: FunctionLog
  readonly fetchInput: InputFetch
  /** Makes what opens handles of other functions in the name of a request. */
  readonly openHandle: HandleOpener
  getModel(): Promise<unknown>
}

/** Makes what opens handles of other functions for the function that answers a request. */
export type HandleOpener = (source: CallSource, caller: CallerModel | null) => OpenHandle

/** The model with which a caller answers. */
export type CallerModel = Pick<RunnerFacts, 'loader' | 'model' | 'modelInfo'>

/** A request as it came to a runner. */
export interface CallSource {
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  /** Fires when the caller has gone. It may be made when it is first asked for. */
  readonly signal: AbortSignal
  /** Who calls, where the function that is called calls others. It may be made when it is first asked for. */
  readonly place: CallPlace
}

/**
 * Makes the context that a function's code gets for one request. All of it are own properties, so that it can
 * be taken apart and spread.
 */
export function createCall(source: CallSource, decoded: Decoded, facts: RunnerFacts): Call {
  const { head, body } = source
  let log: FunctionLog | undefined
  let handle: OpenHandle | undefined
  return {
    requestId: head.requestId,
    principal: head.principal,
    input: decoded.input,
    params: decoded.params,
    query: decoded.query,
    // What few functions look at is made when one does.
    get signal() {
      return source.signal
    },
    state: facts.state,
    model: facts.model,
    modelId: facts.modelInfo.id,
    modelInfo: facts.modelInfo,
    getModel: facts.getModel,
    get log() {
      log ??= logOf(head.requestId, facts.log)
      return log
    },
    fetchInput: (url, options = {}) => facts.fetchInput(url, options, source.signal),
    get handle() {
      handle ??= facts.openHandle(source, facts)
      return handle
    },
    request: requestOf(head, body),
  }
}

/** The log with the request's id beside every line. */
function logOf(requestId: string, log: FunctionLog): FunctionLog {
  const write =
    (level: keyof FunctionLog) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      log[level](message, { ...fields, requestId })
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function requestOf({ method, url, headers }: RequestHead, body: Uint8Array<ArrayBuffer>): RawRequest {
  let made: Headers | undefined
  return {
    method,
    url,
    body,
    get headers() {
      made ??= new Headers(headers.map(([name, value]) => [name, value]))
      return made
    },
  }
}
