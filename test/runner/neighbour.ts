import type { Definition } from '../../runtime/define/definition.ts'
import { createCall } from '../../runtime/runner/call.ts'
import type { CallTransport, OutgoingCall } from '../../runtime/runner/call-transport.ts'
import { createDecoder } from '../../runtime/runner/decoder.ts'
import { createEncoder } from '../../runtime/runner/encoder.ts'
import { loadFunction } from '../../runtime/runner/loaded-function.ts'
import { createPlainEngine } from '../define/engine.ts'
import { headOf } from '../replica/request-head.ts'
import { callSource, noHandles } from './call-source.ts'

/** A runner that answers calls of one function, and knows what it was sent. */
export interface Neighbour extends CallTransport {
  readonly calls: OutgoingCall[]
}

const silent = (): void => undefined

/** Makes a transport to a runner in this very thread, which reads and writes the bytes as any other does. */
export function createNeighbour(definition: Definition): Neighbour {
  const calls: OutgoingCall[] = []
  return {
    calls,
    async call(call, { signal, ended }) {
      calls.push(call)
      const { params, query, contentType, body } = call
      const accept = 'multipart/form-data, application/octet-stream, application/x-ndjson'
      const head = headOf({ params, url: `/?${query}`, contentType, accept })
      try {
        const { facts } = await loadFunction({
          name: call.function,
          definition,
          model: definition.model ? { id: 'm', version: '1', path: '/m' } : null,
          engine: createPlainEngine({}),
          log: { debug: silent, info: silent, warn: silent, error: silent },
          fetchInput: () => Promise.reject(new Error('Nothing is fetched.')),
          openHandle: noHandles,
        })
        const decoded = createDecoder(definition)(head, body)
        const source = callSource({ head, body, signal })
        const [outcome] = await definition.answer([createCall(source, decoded, facts)], { signal })
        if (outcome instanceof Error) throw outcome
        const reply = createEncoder(definition)(outcome, head)
        if (typeof reply.body === 'string') {
          return { ...reply.head, body: new TextEncoder().encode(reply.body) }
        }
        if (reply.body instanceof Uint8Array) return { ...reply.head, body: new Uint8Array(reply.body) }
        return { ...reply.head, body: streamOf(reply.body) }
      } finally {
        ended()
      }
    },
  }
}

function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}
