import type { Socket } from 'bun'

/** A reply as it came over the wire. */
export interface TcpReply {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** The body as JSON; `undefined` where it is none. */
  readonly json: ReturnType<typeof JSON.parse>
}

/** A connection on which a test says what no HTTP client would. */
export class TcpClient implements Disposable {
  readonly #socket: Socket
  #received = ''
  #sentBytes = 0
  #ended = false
  #change = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Connects to a server. */
  static async connect(url: string): Promise<TcpClient> {
    const { hostname, port } = new URL(url)
    const end = (): void => client.#end()
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, bytes) => client.#receive(bytes),
        drain: () => client.#changed(),
        end,
        close: end,
        // A connection that the server resets is a connection that it closed.
        error: end,
      },
    })
    const client = new TcpClient(socket)
    return client
  }

  /** How many bytes the system has taken for sending. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Whether the other side has closed. */
  get ended(): boolean {
    return this.#ended
  }

  /** What has come and was not taken as a reply. */
  get received(): string {
    return this.#received
  }

  /** Sends, and waits until the system has taken it. What the other side no longer takes is dropped. */
  async send(...parts: readonly (string | Uint8Array)[]): Promise<void> {
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      for (let offset = 0; offset < bytes.length && !this.#ended; ) {
        const taken = Math.max(0, this.#socket.write(bytes.subarray(offset)))
        this.#sentBytes += taken
        offset += taken
        if (taken === 0) await this.#change.promise
      }
    }
  }

  /** Waits for the next reply, and takes it off what was received. */
  async reply(): Promise<TcpReply> {
    for (;;) {
      const found = takeReply(this.#received, this.#ended)
      if (found) {
        this.#received = found.rest
        return found.reply
      }
      if (this.#ended) throw new Error(`The server closed before its reply was whole: ${this.#received}`)
      await this.#change.promise
    }
  }

  /** Waits until the other side has closed. Gives what was received and not taken as a reply. */
  async closed(): Promise<string> {
    while (!this.#ended) await this.#change.promise
    return this.#received
  }

  /** Goes away without a word. */
  leave(): void {
    this.#socket.terminate()
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }

  #receive(bytes: Buffer): void {
    this.#received += bytes.toString('latin1')
    this.#changed()
  }

  #end(): void {
    this.#ended = true
    this.#changed()
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }
}

/** Sends one request as it stands on a connection of its own and gives the reply. */
export async function exchange(url: string, ...request: readonly (string | Uint8Array)[]): Promise<TcpReply> {
  using client = await TcpClient.connect(url)
  await client.send(...request)
  return await client.reply()
}

function takeReply(text: string, ended: boolean): { readonly reply: TcpReply; readonly rest: string } | null {
  const start = text.indexOf('\r\n\r\n') + 4
  if (start === 3) return null
  const [line = '', ...fields] = text.slice(0, start - 4).split('\r\n')
  const headers = new Headers(
    fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()]),
  )
  const length = headers.get('content-length')
  if (length === null && !ended) return null
  const end = length === null ? text.length : start + Number(length)
  if (text.length < end) return null
  const body = text.slice(start, end)
  const reply = { status: Number(line.split(' ')[1]), headers, body, json: parse(body) }
  return { reply, rest: text.slice(end) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
