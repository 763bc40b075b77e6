import type { OutgoingCall } from '../runner/call-transport.ts'
import { maxCallDepth } from '../runner/calling-request.ts'
import { decodeHead } from './frame.ts'

/**
 * What a runner says of a call that its function makes, beside the bytes of the input: plain data, which crosses a socket
 * as JSON.
 */
export type CallHead = Omit<OutgoingCall, 'body'>

/** Names of functions, models and deployments are shorter: what is told of a call stays small. */
const longestName = 1_024

/**
 * Reads a call out of its frame. A runner has code of others in its process, so that nothing is taken for what it should
 * be.
 *
 * @throws {TypeError} where it is no call.
 */
export function readCall(payload: Uint8Array<ArrayBuffer>): {
  readonly head: CallHead
  readonly body: Uint8Array<ArrayBuffer>
} {
  const { head, body } = decodeHead<unknown>(payload)
  if (isCallHead(head)) return { head, body }
  throw new TypeError('What a runner says of a call that it makes is not what a call is.')
}

function isCallHead(value: unknown): value is CallHead {
  const head: Partial<Record<keyof CallHead, unknown>> = Object(value)
  return (
    typeof head.parent === 'number' &&
    isName(head.function) &&
    isNull(head.model, isName) &&
    isNull(head.deployment, isName) &&
    isNull(head.timeoutMs, isNumber) &&
    isNull(head.contentType, isName) &&
    isText(head.query) &&
    Array.isArray(head.through) &&
    head.through.length <= maxCallDepth &&
    head.through.every(isName) &&
    isTexts(head.params)
  )
}

function isNull(value: unknown, otherwise: (value: unknown) => boolean): boolean {
  return value === null || otherwise(value)
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= longestName
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number'
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isTexts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isText)
}
