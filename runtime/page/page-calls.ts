import type { Definition } from '../define/definition.ts'
import { IsoplexError } from '../error/error.ts'
import { fromWire } from '../error/wire.ts'
import { AnswerStream } from '../runner/answer-stream.ts'
import type { CallAnswer, CallFollower, CallTransport, OutgoingCall } from '../runner/call-transport.ts'
import { assertDepth } from '../runner/calling-request.ts'
import { acceptedReplies } from '../runner/reply-value.ts'
import type { HostMessage, RequestMessage } from './message.ts'
import type { MessagePost } from './message-sink.ts'

/** What the calls of a page's functions are answered by. */
export interface PageCallsOptions {
  /** Sends a message to the page. */
  readonly post: MessagePost
  /** Takes a request of a function in this worker. */
  readonly request: (message: RequestMessage) => void
  /** Nobody waits for the answer of such a request any more. */
  readonly cancel: (id: number) => void
  /** Lets more of a stream be sent. */
  readonly credit: (id: number, bytes: number) => void
  /** A function that came with a module; refuses what runs in no page. */
  readonly definitionOf: (moduleUrl: string, name: string) => Definition
}

interface OpenCall {
  readonly parent: number
  readonly answered: PromiseWithResolvers<CallAnswer>
  readonly end: () => void
  stream: AnswerStream | null
}

/** The module of a function that another one has imported: it is in the same file. */
export function importedModule(moduleUrl: string, name: string): string {
  return `${moduleUrl.split('#', 1)[0]}#${encodeURIComponent(name)}`
}

/**
 * The calls that functions of a page make of others with models: they become requests of the same page and token, which
 * the same worker answers. Their ids are negative, so that no answer is taken for one that the page waits for.
 */
export class PageCalls implements CallTransport {
  readonly #options: PageCallsOptions
  /** The requests in hand, by their ids. */
  readonly #asked = new Map<number, RequestMessage>()
  readonly #open = new Map<number, OpenCall>()
  #lastId = 0

  constructor(options: PageCallsOptions) {
    this.#options = options
  }

  /** Notes a request of the page, in whose name functions may call. */
  note(message: RequestMessage): void {
    this.#asked.set(message.id, message)
  }

  /** Takes what answers a request: to the page, or to the function that called. */
  readonly post: MessagePost = (message, transfer) => {
    const { id } = message as { readonly id?: number }
    const isLast = message.kind === 'reply' || message.kind === 'refusal' || message.kind === 'end'
    if (id !== undefined && isLast) this.#asked.delete(id)
    if (id === undefined || id >= 0) this.#options.post(message, transfer)
    else this.#receive(id, message)
  }

  /** As {@link CallTransport.call}. */
  async call(call: OutgoingCall, { signal, ended }: CallFollower): Promise<CallAnswer> {
    this.#lastId -= 1
    const id = this.#lastId
    const answered = Promise.withResolvers<CallAnswer>()
    const cancel = (): void => {
      const stream = this.#take(id)?.stream
      this.#options.cancel(id)
      answered.reject(signal.reason)
      stream?.end(signal.reason)
    }
    const end = (): void => {
      signal.removeEventListener('abort', cancel)
      ended()
    }
    try {
      signal.throwIfAborted()
      const asked = this.#askedOf(call, id)
      this.#asked.set(id, asked)
      signal.addEventListener('abort', cancel)
      this.#open.set(id, { parent: call.parent, answered, end, stream: null })
      this.#options.request(asked)
    } catch (error) {
      end()
      throw error
    }
    return answered.promise
  }

  #askedOf({ parent, through, function: name, ...call }: OutgoingCall, id: number): RequestMessage {
    const caller = this.#asked.get(parent)
    if (!caller) throw new IsoplexError('CANCELLED', 'Nobody waits for the function that calls any more.')
    const { askedModel: _, ...message } = caller
    const { definitionOf } = this.#options
    const isOfGraph = definitionOf(message.moduleUrl, message.name).graph !== undefined
    const callers = [...(message.head.callers ?? []), message.name, ...through]
    assertDepth(callers, name)
    assertNoDeployment(call.deployment)
    const moduleUrl = importedModule(message.moduleUrl, name)
    const { requestId, principal } = message.head
    const url = `/${name}${call.query && `?${call.query}`}`
    const { params, contentType, body, model } = call
    const head = { requestId, principal, method: 'POST', url, params, contentType, headers: [], callers }
    return {
      ...message,
      ...(model === null ? {} : { askedModel: model }),
      ...(isOfGraph ? { graph: message.name } : {}),
      id,
      name,
      moduleUrl,
      hasModel: definitionOf(message.moduleUrl, name).model !== undefined,
      head: { ...head, accept: acceptedReplies },
      body,
    }
  }

  #receive(id: number, message: HostMessage): void {
    const call = this.#open.get(id)
    if (!call) return
    if (message.kind === 'progress') this.post({ ...message, id: call.parent }, [])
    else if (message.kind === 'chunk') call.stream?.push(message.bytes)
    else if (message.kind === 'stream') {
      call.stream = new AnswerStream(
        (bytes) => this.#options.credit(id, bytes),
        () => this.#take(id) && this.#options.cancel(id),
      )
      call.answered.resolve({ ...message.head, body: call.stream.readable })
    } else if (message.kind !== 'ready') {
      this.#take(id)
      if (message.kind === 'reply') call.answered.resolve({ ...message.head, body: bytesOf(message.body) })
      else if (message.kind === 'refusal') call.answered.reject(fromWire(message.error))
      else if (message.kind === 'end') call.stream?.end(message.broken ? brokenOff() : undefined)
    }
  }

  /** Takes a call out that is under way no longer. */
  #take(id: number): OpenCall | undefined {
    const call = this.#open.get(id)
    this.#open.delete(id)
    call?.end()
    return call
  }
}

function bytesOf(body: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}

/** @throws {IsoplexError} `DEPLOYMENT_NOT_FOUND` */
function assertNoDeployment(deployment: string | null): void {
  if (deployment === null) return
  throw new IsoplexError(
    'DEPLOYMENT_NOT_FOUND',
    `A page has no deployments, such as ${deployment}; call it on the server.`,
    {
      details: { deployment },
    },
  )
}

function brokenOff(): IsoplexError<'FETCH_FAILED'> {
  const message = 'The stream of the function that was called broke off before its end.'
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'cut-off' } })
}
