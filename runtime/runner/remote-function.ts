import { toError } from '../define/definition.ts'
import type { HandleOptions, HandleRequest } from '../define/handle.ts'
import { createItemReader } from './body-decoder.ts'
import type { CallAnswer, CallTransport, OutgoingCall } from './call-transport.ts'
import { maxCallsUnderWay, tooLate } from './calling-request.ts'
import { isAsyncIterable } from './encoder.ts'
import type { CalledFunction } from './function-handles.ts'
import type { Callee, CallerFacts } from './handle.ts'
import { encodeInput } from './input-body.ts'
import { createRequestCheck } from './local-function.ts'
import type { ReplyReading } from './reply-bytes.ts'
import { readReply, readWhole } from './reply-value.ts'
import { queryOf, type TextValues, textOf } from './url-text.ts'

/** A function that other runners answer. */
export interface RemoteFunction {
  readonly definition: CalledFunction['definition']
  readonly name: string
  readonly options: HandleOptions
  readonly transport: CallTransport
}

const noBody = new Uint8Array()

/**
 * Makes what calls a function in another runner: tensors and files go and come as their bytes, streams are read as far as
 * somebody reads them. What does not fit the schemas is not sent. Calls go on side by side: whoever answers them makes the
 * batches.
 */
export function createRemoteCallee(remote: RemoteFunction): Callee {
  const { definition, name, transport } = remote
  const prepare = createRequestCheck(definition, name)
  const toItem = definition.output ? createItemReader(definition.output) : (item: unknown) => item

  const answer = async (request: HandleRequest, facts: CallerFacts): Promise<unknown> => {
    const { source, signal } = facts
    signal.throwIfAborted()
    const call = await encodeCall(remote, prepare(request) as HandleRequest, facts)
    const answered = new AbortController()
    const leave = await source.place.request.begin(signal, () => answered.abort(tooLate()))
    const waited = source.place.waits?.begin()
    const follower = {
      signal: AbortSignal.any([signal, answered.signal]),
      ended() {
        waited?.()
        leave()
      },
    }
    const { requestId } = source.head
    const reading = { requestId, signal: follower.signal, maxBytes: Number.POSITIVE_INFINITY }
    const value = await readAnswer(await transport.call(call, follower), reading)
    return isAsyncIterable(value) ? itemsOf(value, toItem) : value
  }
  return {
    // While half of them are computed, the others are on their way.
    batchSize: Math.min(maxCallsUnderWay, 2 * (definition.batch?.maxSize ?? 1)),
    answer: (requests, facts) =>
      Promise.all(requests.map((request) => answer(request, facts).catch(toError))),
  }
}

async function encodeCall(
  { name, options: { model, deployment } }: RemoteFunction,
  { params, query, input }: HandleRequest,
  { source: { place }, timeoutMs }: CallerFacts,
): Promise<OutgoingCall> {
  const body = await encodeInput(input)
  return {
    parent: place.request.id,
    through: place.chain.slice(1),
    function: name,
    model: model ?? null,
    deployment: deployment ?? null,
    timeoutMs,
    params: Object.fromEntries(
      Object.entries((params ?? {}) as TextValues).map(([param, value]) => [param, textOf(value)]),
    ),
    query: queryOf((query ?? {}) as TextValues).slice(1),
    contentType: body?.contentType ?? null,
    body: body?.bytes ?? noBody,
  }
}

/** What an answer says; where its status says more than a value can, the `Response` that the function has made. */
async function readAnswer(
  { status, headers: named, body }: CallAnswer,
  reading: ReplyReading,
): Promise<unknown> {
  const headers = new Headers(named.map(([name, value]) => [name, value]))
  if (status !== 200 && status !== 204) {
    const isEmpty = body instanceof Uint8Array && body.length === 0
    return new Response(isEmpty ? null : (body as BodyInit), { status, headers })
  }
  if (body instanceof Uint8Array) return readWhole(headers, body, reading)
  return (await readReply({ headers, body }, reading)).value
}

async function* itemsOf(
  items: AsyncIterable<unknown>,
  toItem: (item: unknown) => unknown,
): AsyncGenerator<unknown, void> {
  for await (const item of items) yield toItem(item)
}
