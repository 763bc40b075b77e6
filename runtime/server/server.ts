import { chmodSync, rmSync } from 'node:fs'
import http from 'node:http'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import type { App } from './app.ts'
import { refusalReply } from './reply.ts'

/** How a server listens. */
export interface ServerOptions {
  /** The path of a unix socket, for this user only, in place of host and port; one that was left behind is replaced. */
  readonly socketPath?: string
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** The most that all headers of a request may take, in bytes; Bun answers 431 beyond it. */
  readonly maxHeaderBytes: number
  /** Refuses requests by the names that they carry. */
  readonly guard: (request: Request) => AnyIsoplexError | null
}

/** A connection on which nothing moves is closed after this time, unless a request waits for its answer. */
const idleTimeoutSeconds = 30
const elysiaPathStart = 11
/** How long the answers to what was given up may take to leave. */
const lastRepliesMs = 100

/** One listening socket whose app can be swapped while it serves. */
export class HttpServer {
  readonly #options: ServerOptions
  readonly #firstApp = Promise.withResolvers<App>()
  #app: App | null = null
  #server: Bun.Server<undefined> | null = null
  /** The requests as they were received, of those that the app got under another URL. */
  readonly #received = new WeakMap<Request, Request>()
  #closing = false
  readonly #stopping = new AbortController()
  /** The host that was last found good, and how the URLs of its requests begin. */
  #knownHost: string | null = null
  #knownOrigin = ''

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Where it listens; `unix:` and the path where that is a socket. */
  get url(): URL {
    if (!this.#server) throw new TypeError('The server does not listen yet.')
    const { socketPath } = this.#options
    return socketPath === undefined ? this.#server.url : new URL(`unix:${socketPath}`)
  }

  /** Whether it is about to stop, so that connections are closed after their reply. */
  get closing(): boolean {
    return this.#closing
  }

  /** Fires when it begins to stop: nobody is to be kept waiting for what may take long. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Keeps a request's connection open while the request waits, however long nothing moves on it. */
  hold(request: Request): void {
    this.#server?.timeout(this.#received.get(request) ?? request, 0)
  }

  /** Lets the connection be closed again when nothing moves on it. */
  release(request: Request): void {
    this.#server?.timeout(this.#received.get(request) ?? request, idleTimeoutSeconds)
  }

  /** Serves an app; requests that another app has begun are finished by that one. */
  use(app: App): void {
    this.#app = app
    this.#firstApp.resolve(app)
  }

  /**
   * Begins to listen.
   *
   * @throws {Error} with code `EADDRINUSE` where the port is taken: it is never shared.
   */
  listen(): void {
    const { socketPath, host, port, maxHeaderBytes, guard } = this.#options
    // Bun.serve reads this limit from Node's module, and only when it starts to listen.
    Object.assign(http, { maxHeaderSize: maxHeaderBytes })
    const options = {
      // Bodies are counted while they are read, so that the refusal can say why.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      fetch: (request: Request) => {
        const known = this.#isKnown(request)
        const refusal = (known ? null : hostRefusal(request)) ?? guard(request)
        if (refusal) return refusalReply(refusal, request, 0)
        return this.#answer(known ? request : this.#routable(request))
      },
    } satisfies Partial<Bun.Serve.Options<undefined>>
    if (socketPath === undefined) {
      const place = { hostname: host, port, reusePort: false, idleTimeout: idleTimeoutSeconds }
      this.#server = Bun.serve({ ...options, ...place })
    } else {
      rmSync(socketPath, { force: true })
      this.#server = Bun.serve({ ...options, unix: socketPath })
      chmodSync(socketPath, 0o600)
    }
  }

  /** Who calls while the first app is being made waits for it. */
  #answer(request: Request): Response | Promise<Response> {
    return this.#app?.fetch(request) ?? this.#firstApp.promise.then((app) => app.fetch(request))
  }

  /** Whether a request is addressed as one before it, of which neither host nor URL need another look. */
  #isKnown({ headers, url }: Request): boolean {
    return (
      this.#knownHost !== null && headers.get('host') === this.#knownHost && url.startsWith(this.#knownOrigin)
    )
  }

  /** Elysia looks for the path from the 11th character of a URL on: the host must be there, and have four. */
  #routable(request: Request): Request {
    const hostless = request.url.startsWith('/')
    const pathStart = request.url.indexOf('/', 'http://'.length)
    if (!hostless && pathStart >= elysiaPathStart) {
      this.#knownHost = request.headers.get('host')
      this.#knownOrigin = request.url.slice(0, pathStart + 1)
      return request
    }
    const url = new URL(hostless ? `http://localhost${request.url}` : request.url)
    url.hostname = 'localhost'
    const routable = new Request(url, request)
    this.#received.set(routable, request)
    return routable
  }

  /**
   * Stops without losing a request: for the grace time it still takes connections and asks each to close after
   * its reply, then it takes no more and waits for those at hand. After the time for that it has what is left
   * answered by `giveUp`, sends those answers, and closes.
   */
  async stop(graceMs: number, timeoutMs: number, giveUp: () => void = () => undefined): Promise<void> {
    this.#closing = true
    this.#stopping.abort()
    if (!this.#server) return
    await Bun.sleep(graceMs)
    const patience = setTimeout(giveUp, timeoutMs)
    const force = setTimeout(() => void this.#server?.stop(true), timeoutMs + lastRepliesMs)
    await this.#server.stop()
    clearTimeout(patience)
    clearTimeout(force)
  }
}

/** What Bun makes of a host that is none is a URL without a host, or one that cannot be read. */
function hostRefusal({ url, headers }: Request): AnyIsoplexError | null {
  const host = headers.get('host')
  // Only HTTP/1.0 comes this far without the header; several of it stand joined with commas.
  if (host === null || (URL.canParse(url) && !host.includes(','))) return null
  return new IsoplexError(
    'REQUEST_MALFORMED',
    'The header Host must name one host; it names none, or several.',
  )
}
