import type { AnyRoutes, Client } from '../client/handles.ts'
import type { AnyIterable, CallOptions, FunctionHandle, HandleRequest } from '../define/handle.ts'
import type { TextValues } from '../runner/url-text.ts'

/** Calls that are under way at a time for one {@link FunctionHandle.inferAll}. */
const callsAtOnce = 16

/** Path and query parameters are texts on their way, whatever they are in a function. */
type RemoteRequest = HandleRequest<TextValues | undefined, TextValues | undefined, unknown>

/** Makes a handle of one function of a client. */
export function createRemoteHandle(
  client: Client<AnyRoutes>,
  name: string,
): FunctionHandle<unknown, unknown, TextValues | undefined, TextValues | undefined> {
  const remote = client[name]
  if (remote === undefined) throw new TypeError(`"${name}" is no name of a function.`)
  const call = async (request: RemoteRequest, options: CallOptions = {}): Promise<unknown> => {
    return (await remote.call({ ...request, ...options })).output
  }
  const infer = (input: unknown, options?: CallOptions): Promise<unknown> => call({ input }, options)
  return Object.freeze({
    infer,
    call,
    inferAll: (inputs: AnyIterable<unknown>, options?: CallOptions) => inferAll(infer, inputs, options),
  })
}

/** Sends some calls ahead of those whose answers are read; who stops reading ends the rest. */
async function* inferAll(
  infer: (input: unknown, options: CallOptions) => Promise<unknown>,
  inputs: AnyIterable<unknown>,
  { signal, ...options }: CallOptions = {},
): AsyncGenerator<unknown, void, undefined> {
  const stopping = new AbortController()
  const signals = signal ? [signal, stopping.signal] : [stopping.signal]
  const given = { ...options, signal: AbortSignal.any(signals) }
  const pending: Promise<unknown>[] = []
  try {
    for await (const input of inputs) {
      const answer = infer(input, given)
      // It is told when its turn comes.
      answer.catch(() => undefined)
      pending.push(answer)
      if (pending.length >= callsAtOnce) yield await pending.shift()
    }
    while (pending.length > 0) yield await pending.shift()
  } finally {
    stopping.abort()
  }
}
