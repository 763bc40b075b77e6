import type { LocalEngine, LocalReply, LocalRequest } from '../../runtime/client/local-engine.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import { createCall } from '../../runtime/runner/call.ts'
import { createDecoder } from '../../runtime/runner/decoder.ts'
import { createEncoder, type Reply } from '../../runtime/runner/encoder.ts'
import { loadFunction } from '../../runtime/runner/loaded-function.ts'
import { headOf } from '../replica/request-head.ts'
import { callSource, noHandles } from '../runner/call-source.ts'
import { streamOf } from './reading.ts'

/** An engine of a page that answers with the runners' own code, in this very thread. */
export interface PageEngine extends LocalEngine {
  /** The requests so far. */
  readonly requests: readonly LocalRequest[]
}

/** Makes an engine that has these functions, none of them with a model. */
export function createPageEngine(functions: Readonly<Record<string, Definition>>): PageEngine {
  const requests: LocalRequest[] = []
  return {
    requests,
    offers: async (name) => Object.hasOwn(functions, name),
    async answer(request) {
      requests.push(request)
      const definition = functions[request.name]
      if (!definition) throw new Error('There is no such function.')
      return answer(definition, request)
    },
    clear: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function answer(definition: Definition, request: LocalRequest): Promise<LocalReply> {
  const { requestId, method, url, params, contentType, accept, body, signal } = request
  const head = headOf({ requestId, method, url, params, contentType, accept })
  const silent = (): void => undefined
  const { facts } = await loadFunction({
    name: request.name,
    definition,
    model: null,
    engine: null as never,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    fetchInput: () => Promise.reject(new Error('Nothing is fetched.')),
    openHandle: noHandles,
  })
  const call = createCall(callSource({ head, body, signal }), createDecoder(definition)(head, body), facts)
  const [outcome] = await definition.answer([call], { signal })
  if (outcome instanceof Error) throw outcome
  const reply = createEncoder(definition)(outcome, head)
  const run = { provider: 'wasm', reason: 'There is no WebGPU here.', model: null, queueMs: 1, inferMs: 2 }
  return { head: reply.head, body: bodyOf(reply), run }
}

function bodyOf({ body, lastWords }: Reply): LocalReply['body'] {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return new Uint8Array(body)
  return streamOf(withLastWords(body, lastWords))
}

async function* withLastWords(
  chunks: AsyncIterable<Uint8Array>,
  lastWords: Reply['lastWords'],
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    if (!lastWords) throw error
    yield lastWords(error)
  }
}
