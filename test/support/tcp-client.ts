/** A connection on which a test says what no HTTP client would. */
export interface TcpClient extends Disposable {
  /** How many bytes the system has taken for sending. */
  readonly sentBytes: number
  /** Sends, and waits until the system has taken it. What the other side no longer takes is dropped. */
  send(...parts: readonly (string | Uint8Array)[]): Promise<void>
  /** Whether the other side has closed. */
  readonly ended: boolean
  /** What has come and was not taken as a reply. */
  readonly received: string
  /** Waits for the next reply, and takes it off what was received. */
  reply(): Promise<TcpReply>
  /** Waits until the other side has closed. Gives what was received and not taken as a reply. */
  closed(): Promise<string>
  /** Goes away without a word. */
  leave(): void
}

/** A reply as it came over the wire. */
export interface TcpReply {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** The body as JSON; `undefined` where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by its assertions
  readonly json: any
}

/** Connects to a server. */
export async function connectTcp(url: string): Promise<TcpClient> {
  const { hostname, port } = new URL(url)
  let received = ''
  let sentBytes = 0
  let ended = false
  let wake = Promise.withResolvers<void>()
  const change = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const end = (): void => {
    ended = true
    change()
  }
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_, bytes) {
        received += bytes.toString('latin1')
        change()
      },
      drain: change,
      end,
      close: end,
      // A connection that the server resets is a connection that it closed.
      error: end,
    },
  })
  const send = async (bytes: Uint8Array): Promise<void> => {
    for (let offset = 0; offset < bytes.length && !ended; ) {
      const taken = socket.write(bytes.subarray(offset))
      if (taken > 0) {
        sentBytes += taken
        offset += taken
      } else await wake.promise
    }
  }

  return {
    get sentBytes() {
      return sentBytes
    },
    get ended() {
      return ended
    },
    get received() {
      return received
    },
    async send(...parts) {
      for (const part of parts) await send(typeof part === 'string' ? Buffer.from(part) : part)
    },
    async reply() {
      for (;;) {
        const found = takeReply(received, ended)
        if (found) {
          received = found.rest
          return found.reply
        }
        if (ended) throw new Error(`The server closed before its reply was whole: ${received}`)
        await wake.promise
      }
    },
    async closed() {
      while (!ended) await wake.promise
      return received
    },
    leave: () => void socket.terminate(),
    [Symbol.dispose]: () => void socket.terminate(),
  }
}

/** Sends one request as it stands on a connection of its own and gives the reply. */
export async function exchange(url: string, ...request: readonly (string | Uint8Array)[]): Promise<TcpReply> {
  using client = await connectTcp(url)
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
