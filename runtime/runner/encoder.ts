import type { TSchema } from '@sinclair/typebox'
import { createChecker } from '../define/check.ts'
import type { Definition } from '../define/definition.ts'
import { isFileValue } from '../define/file-value.ts'
import { findSlots } from '../define/slot.ts'
import { isTensor } from '../engine/tensor.ts'
import { toWire } from '../error/wire.ts'
import { takeApart, writeForm } from './form-parts.ts'
import { jsonReplyHead, type ReplyHead, type RequestHead } from './head.ts'
import { createPlainForm, plainFormOf } from './plain-form.ts'
import { refuseOutput } from './refusal.ts'
import { tensorBody } from './tensor-media.ts'

/** A reply on its way to the client: whole, or as chunks that are made while they are sent. */
export interface Reply {
  readonly head: ReplyHead
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Makes what ends a stream that fails; where there is none, the stream breaks off. */
  readonly lastWords?: (error: unknown) => Uint8Array
}

/** Turns what a function returned into a reply. */
export type Encoder = (result: unknown, head: RequestHead) => Reply

const text = new TextEncoder()
const formType = 'multipart/form-data'
const emptyHead: ReplyHead = Object.freeze({ status: 204, headers: Object.freeze([]) })

/**
 * Makes the encoder of a function: values become JSON, files and tensors their bytes, async iterables streams
 * of server-sent events or lines of JSON, `undefined` an empty reply. A value that holds files or tensors is a form of
 * {@link writeForm} for whoever accepts `multipart/form-data`. NaN and the infinities outside of
 * tensors become `null` where no output schema refuses them, as `JSON.stringify` has it. A stream that fails
 * ends with an event `error`, or with a line `{"error":…}`.
 *
 * The encoder throws `OUTPUT_INVALID` where a result does not fit the output schema, and a `TypeError` where
 * it cannot be sent: it holds a bigint or itself, or it is a `Response` whose body was read before.
 */
export function createEncoder({ output }: Pick<Definition, 'output'>): Encoder {
  const assertFits = output ? createOutputCheck(output) : () => undefined
  const toPlain = output ? createPlainForm(output) : plainFormOf
  const mayHoldParts = output ? findSlots(output).some(({ path }) => path.length > 0) : true
  return (result, head) => {
    if (result instanceof Response) return encodeResponse(result)
    if (isAsyncIterable(result)) {
      return encodeStream(result, head, (item) => {
        assertFits(item)
        return toPlain(item)
      })
    }
    assertFits(result)
    const form = mayHoldParts ? encodeForm : () => null
    return encodeBytes(result, head) ?? form(result, head) ?? encodeJson(toPlain(result))
  }
}

/** Whether a value is a stream of values. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Makes what refuses results that do not fit; it throws `OUTPUT_INVALID`. */
export function createOutputCheck(schema: TSchema): (value: unknown) => void {
  const checker = createChecker(schema)
  return (value) => {
    const issues = checker.issues(value)
    if (issues.length > 0) throw refuseOutput(issues)
  }
}

function encodeJson(value: unknown): Reply {
  const json = JSON.stringify(value)
  return json === undefined
    ? { head: emptyHead, body: new Uint8Array() }
    : { head: jsonReplyHead, body: json }
}

/**
 * A file, or a tensor for whoever asks for its bytes; `null` for anything else. Texts are a list in JSON for those alone
 * who take forms, and so know what the headers say.
 */
function encodeBytes(value: unknown, { accept }: RequestHead): Reply | null {
  if (isFileValue(value)) {
    return { head: { status: 200, headers: [['content-type', value.mediaType]] }, body: value.bytes }
  }
  if (!isTensor(value) || !accepts(accept, value.type === 'string' ? formType : 'application/octet-stream')) {
    return null
  }
  const headers = [
    ['content-type', value.type === 'string' ? 'application/json' : 'application/octet-stream'],
    ['x-tensor-type', value.type],
    ['x-tensor-dims', value.dims.join(',')],
  ] as const
  return { head: { status: 200, headers }, body: tensorBody(value) }
}

/** A form with the files and tensors as its parts, for whoever takes one; `null` for a value that holds none. */
function encodeForm(value: unknown, { accept }: RequestHead): Reply | null {
  if (!accepts(accept, formType)) return null
  const apart = takeApart(value)
  if (apart.rest === null || apart.parts.length === 0) return null
  const { contentType, bytes } = writeForm(apart)
  return { head: { status: 200, headers: [['content-type', contentType]] }, body: bytes }
}

function encodeResponse(response: Response): Reply {
  if (response.bodyUsed) throw new TypeError('The function returned a Response whose body was read before.')
  const head = { status: response.status, headers: [...response.headers.entries()] }
  return { head, body: response.body ?? new Uint8Array() }
}

/** Items as server-sent events where the client asks for them, else as lines of JSON (NDJSON). */
function encodeStream(
  items: AsyncIterable<unknown>,
  { accept }: RequestHead,
  toPlain: (item: unknown) => unknown,
): Reply {
  const asEvents = accepts(accept, 'text/event-stream')
  const line = (value: unknown, event = ''): Uint8Array => {
    const json = JSON.stringify(value) ?? 'null'
    return text.encode(asEvents ? `${event}data: ${json}\n\n` : `${json}\n`)
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const item of items) yield line(toPlain(item))
  }
  const headers = [
    ['content-type', asEvents ? 'text/event-stream' : 'application/x-ndjson'],
    ['cache-control', 'no-cache'],
  ] as const
  return {
    head: { status: 200, headers },
    body: chunks(),
    // The status has been sent: what a client can still be told is a last item.
    lastWords: (error) => line({ error: toWire(error) }, 'event: error\n'),
  }
}

/** Whether an `Accept` header names a media type; a wildcard does not count, since JSON is the default. */
function accepts(accept: string | null, mediaType: string): boolean {
  return (
    accept?.split(',').some((range) => range.split(';', 1)[0]?.trim().toLowerCase() === mediaType) ?? false
  )
}
