import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** A way to a server that can be torn down and built up again. */
export interface TcpProxy extends AsyncDisposable {
  /** The server's URL, by this way. */
  readonly url: string
  /** Ends every connection and takes no more: whoever asks is refused. */
  leave(): Promise<void>
  /** Lets no byte through any more, in either direction, as a network does that has lost its way. */
  hang(): void
  /** Listens again at the same address, and lets through what hangs. */
  return(): Promise<void>
}

/** Starts one on 127.0.0.1 before the server of a URL, which names its port. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let hanging = false
  const hold = (socket: Socket): Socket => {
    sockets.add(socket)
    if (hanging) socket.pause()
    // What becomes of one side becomes of the other; why is nothing to this proxy.
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    const far = hold(createConnection({ host: hostname, port: Number(port) }))
    relay(hold(near), far)
    relay(far, near)
  })
  const relay = (from: Socket, to: Socket): void => {
    from.on('data', (bytes) => {
      if (!to.write(bytes)) from.pause()
    })
    to.on('drain', () => {
      if (!hanging) from.resume()
    })
    from.on('close', () => to.destroy())
  }
  const own = await listen(server, 0)
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(own)
  const leave = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    url: url.href,
    leave,
    hang() {
      hanging = true
      for (const socket of sockets) socket.pause()
    },
    async return() {
      hanging = false
      for (const socket of sockets) socket.resume()
      if (!server.listening) await listen(server, own)
    },
    [Symbol.asyncDispose]: leave,
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('no port'))
      resolve(address.port)
    })
  })
}
