import type { FunctionLog, ModelInfo, RawRequest } from '../define/context.ts'
import type { Call } from '../define/definition.ts'
import type { Decoded } from './decoder.ts'
import type { RequestHead } from './message.ts'

/** What all calls of one runner share. */
export interface RunnerFacts {
  readonly state: unknown
  readonly model: unknown
  readonly modelInfo: ModelInfo
  readonly log: FunctionLog
}

/** A request on its way through a function: the context that its code gets. */
export class RequestCall implements Call {
  readonly requestId: string
  readonly principal: string
  readonly input: unknown
  readonly params: unknown
  readonly query: unknown
  readonly signal: AbortSignal
  readonly state: unknown
  readonly model: unknown
  readonly modelId: string
  readonly modelInfo: ModelInfo
  readonly #head: RequestHead
  readonly #body: Uint8Array<ArrayBuffer>
  readonly #log: FunctionLog

  constructor(
    head: RequestHead,
    body: Uint8Array<ArrayBuffer>,
    decoded: Decoded,
    facts: RunnerFacts,
    signal: AbortSignal,
  ) {
    this.requestId = head.requestId
    this.principal = head.principal
    this.input = decoded.input
    this.params = decoded.params
    this.query = decoded.query
    this.signal = signal
    this.state = facts.state
    this.model = facts.model
    this.modelId = facts.modelInfo.id
    this.modelInfo = facts.modelInfo
    this.#head = head
    this.#body = body
    this.#log = facts.log
  }

  get log(): FunctionLog {
    const { requestId } = this
    const write =
      (level: keyof FunctionLog) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
        this.#log[level](message, { ...fields, requestId })
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  get request(): RawRequest {
    const { method, url, headers } = this.#head
    return {
      method,
      url,
      headers: new Headers(headers.map(([name, value]) => [name, value])),
      body: this.#body,
    }
  }

  getModel(): Promise<unknown> {
    return Promise.resolve(this.model)
  }
}
