import type { Socket } from 'node:net'
import type { HostileRequest } from './hostile-request.ts'

type HeaderFields = Readonly<Record<string, string>>

/** What a hostile server does with a request. Every connection ends with its reply. */
export type HostileBehaviour =
  /** Answers as it should, with a true length. @default status 200, no body */
  | {
      readonly kind: 'reply'
      readonly status?: number
      readonly headers?: HeaderFields
      readonly body?: string | Uint8Array
    }
  /** Answers with JSON. */
  | {
      readonly kind: 'json'
      readonly value: unknown
      readonly status?: number
      readonly headers?: HeaderFields
    }
  /** Sends elsewhere; `to` is the `location` as it stands. @default status 302 */
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** Takes the request and says nothing, ever. */
  | { readonly kind: 'never' }
  /** Sends the head and the first bytes of the body, and then nothing more, ever. */
  | { readonly kind: 'stall'; readonly body: string | Uint8Array; readonly afterBytes: number }
  /** Sends the body byte by byte, each so long after the one before. */
  | { readonly kind: 'drip'; readonly body: string | Uint8Array; readonly everyMs: number }
  /** Sends header after header, each so long after the one before, and never an end of the head. */
  | { readonly kind: 'drip-head'; readonly everyMs: number }
  /** Announces the whole body and closes after some of it; `reset` by a reset instead of an end. */
  | {
      readonly kind: 'cut-off'
      readonly body: string | Uint8Array
      readonly afterBytes: number
      readonly reset?: boolean
      readonly headers?: HeaderFields
    }
  /** Announces a length that is not that of the body, sends the body and closes. */
  | { readonly kind: 'wrong-length'; readonly body: string | Uint8Array; readonly lengthBytes: number }
  /** Sends the chunk over and over, without an announced length, as long as somebody reads. */
  | { readonly kind: 'endless'; readonly chunk: string | Uint8Array; readonly headers?: HeaderFields }
  /** Sends a small gzip of very many bytes, as a content encoding. */
  | { readonly kind: 'gzip-bomb'; readonly unpackedBytes: number }
  /**
   * Offers a file as an object store does, with an `etag` where one is given and `if-range` looked at. `ranges`:
   * `honoured` as asked, `ignored` always whole, `lying` the wrong bytes under the right `content-range`,
   * `shifted` another range than was asked for. `cutAfterBytes` closes in the middle of each reply.
   */
  | {
      readonly kind: 'file'
      readonly bytes: Uint8Array
      readonly etag?: string
      readonly ranges: 'honoured' | 'ignored' | 'lying' | 'shifted'
      readonly cutAfterBytes?: number
    }
  /** Sends exactly this and closes. */
  | { readonly kind: 'raw'; readonly bytes: string | Uint8Array }

type Behaviour<Kind extends HostileBehaviour['kind']> = Extract<HostileBehaviour, { readonly kind: Kind }>

/** What is done for each kind. */
const acts: {
  readonly [Kind in HostileBehaviour['kind']]: (
    socket: Socket,
    behaviour: Behaviour<Kind>,
    request: HostileRequest,
  ) => void
} = {
  reply: (socket, { status = 200, headers = {}, body = '' }) => answer(socket, status, headers, body),
  json: (socket, { value, status = 200, headers }) =>
    answer(socket, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value)),
  redirect: (socket, { to, status = 302 }) => answer(socket, status, { location: to }, ''),
  never: () => undefined,
  stall: (socket, { body, afterBytes }) => {
    const bytes = bytesOf(body)
    socket.write(headOf(200, { 'content-length': String(bytes.length) }))
    socket.write(bytes.subarray(0, afterBytes))
  },
  drip: (socket, { body, everyMs }) => drip(socket, bytesOf(body), everyMs),
  'drip-head': (socket, { everyMs }) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    repeat(socket, everyMs, () => socket.write('x-more: of the same\r\n'))
  },
  'cut-off': cutOff,
  'wrong-length': (socket, { body, lengthBytes }) => {
    socket.write(headOf(200, { 'content-length': String(lengthBytes) }))
    socket.end(body)
  },
  endless: (socket, { chunk, headers }) => {
    socket.write(headOf(200, { ...headers, connection: 'close' }))
    pour(socket, bytesOf(chunk))
  },
  'gzip-bomb': (socket, { unpackedBytes }) =>
    answer(socket, 200, { 'content-encoding': 'gzip' }, Bun.gzipSync(new Uint8Array(unpackedBytes))),
  file: offerFile,
  raw: (socket, { bytes }) => socket.end(bytes),
}

/** Does with a request what a behaviour says. */
export function behave(socket: Socket, request: HostileRequest, behaviour: HostileBehaviour): void {
  // The kind has chosen the act that takes this behaviour; the compiler does not follow that.
  const act = acts[behaviour.kind] as (
    socket: Socket,
    behaviour: HostileBehaviour,
    request: HostileRequest,
  ) => void
  act(socket, behaviour, request)
}

function drip(socket: Socket, body: Uint8Array, everyMs: number): void {
  socket.write(headOf(200, { 'content-length': String(body.length) }))
  let sent = 0
  repeat(socket, everyMs, () => {
    socket.write(body.subarray(sent, sent + 1))
    sent += 1
    if (sent >= body.length) socket.end()
  })
}

function cutOff(socket: Socket, { body, afterBytes, reset, headers }: Behaviour<'cut-off'>): void {
  const bytes = bytesOf(body)
  socket.write(headOf(200, { ...headers, 'content-length': String(bytes.length) }))
  socket.write(bytes.subarray(0, afterBytes), () => {
    if (reset) socket.resetAndDestroy()
    else socket.end()
  })
}

function offerFile(
  socket: Socket,
  { bytes, etag, ranges, cutAfterBytes }: Behaviour<'file'>,
  { headers }: HostileRequest,
): void {
  const own = { 'content-type': 'application/octet-stream', ...(etag === undefined ? {} : { etag }) }
  const condition = headers.get('if-range')
  const asked = /^bytes=([0-9]+)-([0-9]*)$/.exec(headers.get('range') ?? '')
  if (ranges === 'ignored' || asked === null || (condition !== null && condition !== etag)) {
    answer(socket, 200, own, bytes, cutAfterBytes)
    return
  }
  const start = Number(asked[1]) + (ranges === 'shifted' ? 1 : 0)
  const end = Math.min(asked[2] === '' ? bytes.length : Number(asked[2]) + 1, bytes.length)
  if (start >= end) {
    answer(socket, 416, { 'content-range': `bytes */${bytes.length}` }, '')
    return
  }
  const part = bytes.slice(start, end)
  if (ranges === 'lying') for (const [index, byte] of part.entries()) part[index] = byte ^ 0xff
  const contentRange = `bytes ${start}-${end - 1}/${bytes.length}`
  answer(socket, 206, { ...own, 'content-range': contentRange }, part, cutAfterBytes)
}

function answer(
  socket: Socket,
  status: number,
  headers: HeaderFields,
  body: string | Uint8Array,
  cutAfterBytes?: number,
): void {
  const bytes = bytesOf(body)
  socket.write(headOf(status, { connection: 'close', ...headers, 'content-length': String(bytes.length) }))
  socket.end(cutAfterBytes === undefined ? bytes : bytes.subarray(0, cutAfterBytes))
}

function headOf(status: number, headers: HeaderFields): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

function repeat(socket: Socket, everyMs: number, act: () => void): void {
  const timer = setInterval(act, everyMs)
  socket.once('close', () => clearInterval(timer))
}

function pour(socket: Socket, chunk: Uint8Array): void {
  while (!socket.destroyed) {
    if (socket.write(chunk)) continue
    socket.once('drain', () => pour(socket, chunk))
    return
  }
}
