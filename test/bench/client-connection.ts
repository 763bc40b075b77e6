import type { Socket } from 'bun'

/** What a connection tells of. */
export interface ConnectionEvents {
  /** A whole reply to the request that was sent last; `null` where it does not say its length. */
  replied(status: number | null): void
  /** It can take the next request. */
  free(): void
  /** It is of no more use; `busy` where a request went with it. */
  closed(how: { readonly busy: boolean }): void
}

/**
 * A connection over HTTP/1.1 with one request at a time on it, as cheap as can be: a reply must say its length. It
 * sends nothing more after `Connection: close`.
 */
export class ClientConnection {
  readonly #events: ConnectionEvents
  #socket: Socket | null = null
  #unsent: Uint8Array | null = null
  #received: Buffer | null = null
  /** Bytes of the reply under way that are still to come; `null` before its headers are whole. */
  #missing: number | null = null
  #status: number | null = null
  #last = false
  #busy = true
  #closed = false

  private constructor(events: ConnectionEvents) {
    this.#events = events
  }

  /** Begins to connect; the first request is sent as soon as it can be. */
  static open(
    address: { readonly hostname: string; readonly port: number },
    events: ConnectionEvents,
  ): ClientConnection {
    const connection = new ClientConnection(events)
    const closed = (): void => connection.#close()
    Bun.connect({
      ...address,
      socket: {
        open: (socket) => connection.#opened(socket),
        data: (_, bytes) => connection.#receive(bytes),
        drain: () => connection.#flush(),
        end: closed,
        close: closed,
        error: closed,
        connectError: closed,
      },
    }).catch(closed)
    return connection
  }

  /** Sends a request; only on a connection that is new or `free`. */
  send(request: Uint8Array): void {
    this.#busy = true
    this.#unsent = request
    this.#flush()
  }

  /** Goes away without a word. */
  leave(): void {
    this.#closed = true
    this.#socket?.terminate()
  }

  #opened(socket: Socket): void {
    this.#socket = socket
    if (this.#closed) socket.terminate()
    else this.#flush()
  }

  #flush(): void {
    if (!this.#socket || !this.#unsent) return
    const taken = Math.max(0, this.#socket.write(this.#unsent))
    this.#unsent = taken < this.#unsent.length ? this.#unsent.subarray(taken) : null
  }

  #receive(bytes: Buffer): void {
    if (this.#missing === null) {
      const received = this.#received ? Buffer.concat([this.#received, bytes]) : bytes
      const head = readHead(received)
      if (head === null) {
        this.#received = Buffer.from(received)
        return
      }
      this.#received = null
      this.#status = head.status
      this.#last = head.last
      this.#missing = head.length - received.length
    } else this.#missing -= bytes.length
    if (this.#missing > 0) return
    this.#missing = null
    this.#busy = false
    this.#events.replied(this.#status)
    if (this.#last) this.#close()
    else if (!this.#closed) this.#events.free()
  }

  #close(): void {
    if (this.#closed) return
    this.leave()
    this.#events.closed({ busy: this.#busy })
  }
}

/** What the headers of a reply say, once they are whole; `length` is that of the whole reply. */
function readHead(
  received: Buffer,
): { readonly status: number | null; readonly last: boolean; readonly length: number } | null {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return null
  const head = received.toString('latin1', 0, end)
  const [, bodyLength] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (bodyLength === undefined) return { status: null, last: true, length: received.length }
  return {
    status: Number(head.slice(9, 12)),
    last: /\r\nconnection: *close/i.test(head),
    length: end + 4 + Number(bodyLength),
  }
}
