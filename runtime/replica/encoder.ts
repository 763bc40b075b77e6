import type { TSchema } from '@sinclair/typebox'
import { createChecker } from '../define/check.ts'
import type { Definition } from '../define/definition.ts'
import { type FileValue, isFileSchema, isTensorSchema } from '../define/schema.ts'
import { findSlots, replaceInSlot } from '../define/slot.ts'
import type { Tensor } from '../engine/tensor.ts'
import { toWire } from '../error/wire.ts'
import { fileToJson } from './file-body.ts'
import type { ReplyHead, RequestHead } from './message.ts'
import { refuseOutput } from './refusal.ts'
import { tensorToBytes, tensorToJson } from './tensor-body.ts'

/** A reply on its way to the client: whole, or as chunks that are made while they are sent. */
export interface Reply {
  readonly head: ReplyHead
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/** Turns what a function returned into a reply. */
export type Encoder = (result: unknown, head: RequestHead) => Reply

const text = new TextEncoder()
const jsonHead: ReplyHead = Object.freeze({
  status: 200,
  headers: Object.freeze([['content-type', 'application/json'] as const]),
})
const emptyHead: ReplyHead = Object.freeze({ status: 204, headers: Object.freeze([]) })

/**
 * Makes the encoder of a function: values become JSON, files and tensors their bytes, async iterables streams
 * of server-sent events or lines of JSON, `undefined` an empty reply. NaN and the infinities outside of
 * tensors become `null` where no output schema refuses them, as `JSON.stringify` has it.
 *
 * The encoder throws `OUTPUT_INVALID` where a result does not fit the output schema.
 */
export function createEncoder(definition: Definition): Encoder {
  const encodeValue = createValueEncoder(definition.output)
  return (result, head) => {
    if (result instanceof Response) return encodeResponse(result)
    if (isAsyncIterable(result)) return encodeStream(result, head, encodeValue)
    return encodeValue(result, head)
  }
}

type ValueEncoder = (value: unknown, head: RequestHead) => Reply

function createValueEncoder(schema: TSchema | undefined): ValueEncoder {
  if (!schema) return (value) => encodeJson(value)
  const checker = createChecker(schema)
  const encode = isFileSchema(schema)
    ? encodeFile
    : isTensorSchema(schema)
      ? encodeTensor
      : slotEncoder(schema)
  return (value, head) => {
    const issues = checker.issues(value)
    if (issues.length > 0) throw refuseOutput(issues)
    return encode(value, head)
  }
}

function encodeJson(value: unknown): Reply {
  const json = JSON.stringify(value)
  return json === undefined
    ? { head: emptyHead, body: new Uint8Array() }
    : { head: jsonHead, body: text.encode(json) }
}

/** JSON with files and tensors in their JSON forms. What the function returned is left as it is. */
function slotEncoder(schema: TSchema): (value: unknown) => Reply {
  const slots = findSlots(schema)
  if (slots.length === 0) return encodeJson
  return (value) => {
    const copy = slots.reduce((root, slot) => copyAlong(root, slot.path), value)
    const json = slots.reduce((root, { path, schema: slot }) => {
      return replaceInSlot(root, path, (held) =>
        isFileSchema(slot) ? fileToJson(held as FileValue) : tensorToJson(held as Tensor),
      )
    }, copy)
    return encodeJson(json)
  }
}

/** Copies the objects and arrays on the way to a slot. */
function copyAlong(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => copyAlong(item, rest))
  const holder = value as Record<string, unknown>
  return Object.hasOwn(holder, name) ? { ...holder, [name]: copyAlong(holder[name], rest) } : holder
}

function encodeFile(value: unknown): Reply {
  const { bytes, mediaType } = value as FileValue
  return { head: { status: 200, headers: [['content-type', mediaType]] }, body: bytes }
}

function encodeTensor(value: unknown, { accept }: RequestHead): Reply {
  const tensor = value as Tensor
  if (tensor.type === 'string' || !accepts(accept, 'application/octet-stream')) {
    return encodeJson(tensorToJson(tensor))
  }
  const headers = [
    ['content-type', 'application/octet-stream'],
    ['x-tensor-type', tensor.type],
    ['x-tensor-dims', tensor.dims.join(',')],
  ] as const
  return { head: { status: 200, headers }, body: tensorToBytes(tensor) }
}

function encodeResponse(response: Response): Reply {
  const head = { status: response.status, headers: [...response.headers.entries()] }
  return { head, body: response.body ?? new Uint8Array() }
}

/** Items as server-sent events where the client asks for them, else as lines of JSON (NDJSON). */
function encodeStream(items: AsyncIterable<unknown>, head: RequestHead, encodeValue: ValueEncoder): Reply {
  const asEvents = accepts(head.accept, 'text/event-stream')
  const mediaType = asEvents ? 'text/event-stream' : 'application/x-ndjson'
  const headers = [
    ['content-type', mediaType],
    ['cache-control', 'no-cache'],
  ] as const
  const line = (event: string, json: string) =>
    text.encode(asEvents ? `${event === 'message' ? '' : `event: ${event}\n`}data: ${json}\n\n` : `${json}\n`)
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const item of items)
        yield line('message', jsonOf(encodeValue(item, { ...head, accept: null })))
    } catch (error) {
      // The status has been sent: what a client can still be told is a last item.
      yield line('error', JSON.stringify({ error: toWire(error) }))
      throw error
    }
  }
  return { head: { status: 200, headers }, body: chunks() }
}

function jsonOf({ body }: Reply): string {
  return body instanceof Uint8Array && body.length > 0 ? new TextDecoder().decode(body) : 'null'
}

/** Whether an `Accept` header names a media type; a wildcard does not count, since JSON is the default. */
function accepts(accept: string | null, mediaType: string): boolean {
  return (
    accept?.split(',').some((range) => range.split(';', 1)[0]?.trim().toLowerCase() === mediaType) ?? false
  )
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
