import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import type { OpenRequest, ReplySink } from '../runner/open-request.ts'
import type { HostMessage } from './message.ts'
import type { LocalRun } from './run.ts'

/** Sends a message to the page, with what is handed over with it. */
export type MessagePost = (message: HostMessage, transfer: readonly ArrayBuffer[]) => void

/** Makes what sends a runner's answers to the page; `runOf` says what computed the answer of a request. */
export function createMessageSink(post: MessagePost, runOf: (request: OpenRequest) => LocalRun): ReplySink {
  return {
    reply(request, head, body) {
      const { id } = request
      const own = typeof body === 'string' ? body : ownBytes(body)
      const transfer = typeof own === 'string' ? [] : [own.buffer]
      post({ kind: 'reply', id, head, body: own, run: runOf(request) }, transfer)
    },
    refuse: ({ id }, error) => post(refusal(id, error), []),
    startStream: (request, head) => post({ kind: 'stream', id: request.id, head, run: runOf(request) }, []),
    streamChunk({ id }, piece) {
      const bytes = ownBytes(piece)
      post({ kind: 'chunk', id, bytes }, [bytes.buffer])
    },
    endStream: ({ id }, broken) => post({ kind: 'end', id, broken }, []),
  }
}

/** The message that refuses a request. */
export function refusal(id: number, error: unknown): HostMessage {
  const told = isIsoplexError(error)
    ? error
    : new IsoplexError(
        'INTERNAL',
        "The function failed; the page's console has the cause under this request id.",
      )
  return { kind: 'refusal', id, error: toWire(told) }
}

/** Bytes that may be handed over: a function may keep what it returned, and return it again. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
