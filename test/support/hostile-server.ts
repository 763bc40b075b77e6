import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { behave, type HostileBehaviour } from './hostile-behaviour.ts'
import type { TestCertificate } from './hostile-certificates.ts'
import { type HostileRequest, readRequest } from './hostile-request.ts'

/** How a hostile server is started. */
export interface HostileServerOptions {
  /** Makes it speak https. */
  readonly certificate?: TestCertificate
}

/**
 * A real server on 127.0.0.1 that does what no good server does, by path. A path that was never told of
 * answers 404.
 *
 * @example
 * await using server = await startHostileServer()
 * server.reply('/model', { kind: 'reply', status: 503, headers: { 'retry-after': '1' } }, { kind: 'json', value: {} })
 */
export class HostileServer implements AsyncDisposable {
  /** Where it is reached, such as `http://127.0.0.1:8000`, without a final slash. */
  readonly url: string
  readonly port: number
  /** All requests so far that came whole. */
  readonly requests: HostileRequest[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #behaviours = new Map<string, HostileBehaviour[]>()
  readonly #looks = new Set<() => void>()

  private constructor(server: Server, scheme: string) {
    this.#server = server
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('The server has no port.')
    this.port = address.port
    this.url = `${scheme}://127.0.0.1:${address.port}`
  }

  /** Starts one on a free port. */
  static async start({ certificate }: HostileServerOptions = {}): Promise<HostileServer> {
    const server = certificate ? createTlsServer(certificate) : createTcpServer()
    // What a client does to its connection is the test's business.
    server.on('tlsClientError', () => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const hostile = new HostileServer(server, certificate ? 'https' : 'http')
    server.on(certificate ? 'secureConnection' : 'connection', (socket: Socket) => hostile.#serve(socket))
    return hostile
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** What the connections that are open now have been sent, as far as it has left this process. */
  get sentBytes(): number {
    return [...this.#sockets].reduce(
      (sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength,
      0,
    )
  }

  /** Says what a path does from now on: each behaviour for one request, the last for all that follow. */
  reply(path: string, ...behaviours: readonly [HostileBehaviour, ...HostileBehaviour[]]): void {
    this.#behaviours.set(path, [...behaviours])
  }

  /** Resolves as soon as the test is met; it is looked at whenever a connection or a request comes or goes. */
  until(test: (server: HostileServer) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!test(this)) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#changed()
    })
    let received = Buffer.alloc(0)
    const take = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes])
      const request = readRequest(received)
      if (!request) return
      socket.off('data', take)
      // Reading on is what notices that the other side has gone.
      socket.resume()
      this.requests.push(request)
      behave(socket, request, this.#behaviourOf(request.path))
      this.#changed()
    }
    socket.on('data', take)
    this.#changed()
  }

  #behaviourOf(path: string): HostileBehaviour {
    const behaviours = this.#behaviours.get(path) ?? []
    const [behaviour = { kind: 'reply', status: 404 } as const] = behaviours
    if (behaviours.length > 1) behaviours.shift()
    return behaviour
  }

  #changed(): void {
    for (const look of [...this.#looks]) look()
  }
}

/** Starts a hostile server on a free port of 127.0.0.1. */
export function startHostileServer(options?: HostileServerOptions): Promise<HostileServer> {
  return HostileServer.start(options)
}
