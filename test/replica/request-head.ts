import type { RequestHead } from '../../runtime/runner/head.ts'

/** A request's head with what a test cares for. */
export function headOf(facts: Partial<RequestHead> = {}): RequestHead {
  return {
    requestId: 'request-1',
    principal: 'default',
    method: 'POST',
    url: '/',
    params: {},
    contentType: null,
    accept: null,
    headers: [],
    ...facts,
  }
}

/** A text's bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
