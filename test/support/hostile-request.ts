/** A request as it came to a hostile server. */
export interface HostileRequest {
  readonly method: string
  /** The path without its query. */
  readonly path: string
  /** Path and query as requested. */
  readonly target: string
  readonly headers: Headers
  readonly body: Uint8Array
}

/** Reads a request off what has come; `null` while it is not whole. A body needs its length announced. */
export function readRequest(received: Buffer): HostileRequest | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [line = '', ...fields] = received.toString('latin1', 0, end).split('\r\n')
  const headers = new Headers(
    fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()]),
  )
  const body = received.subarray(end + 4)
  if (body.length < Number(headers.get('content-length') ?? 0)) return null
  const [method = '', target = ''] = line.split(' ')
  const [path = ''] = target.split('?')
  return { method, path, target, headers, body: Uint8Array.from(body) }
}
