import type { Socket, SocketHandler, TCPSocketListener, TLSOptions, UnixSocketListener } from 'bun'
import type { FunctionLog } from '../define/context.ts'
import { FrameConnection } from './connection.ts'
import { decodeJson, type Frame, frameKinds, maxFrameBytes } from './frame.ts'
import { isSameText } from './node/handshake.ts'
import type { RunnerLink } from './runner-link.ts'

/** Where a runner finds its gateway. */
export type RunnerAddress =
  | { readonly unix: string }
  | {
      readonly host: string
      readonly port: number
      /** Who has signed the gateway's certificate, as PEM; `null` where it has none. */
      readonly authority: string | null
    }

/** How runners of other machines are let in. */
export interface DoorOptions {
  /** The address of this machine to listen on. */
  readonly hostname: string
  /** @default any that is free */
  readonly port?: number
  /** The gateway's certificate; runners need none. @default none */
  readonly tls?: Pick<TLSOptions, 'cert' | 'key'>
}

/** Lets runners in over the network. */
export interface RunnerDoor {
  /** The port on which runners are heard at an address; listening begins with the first call. */
  portAt(options: DoorOptions): number
}

/** What is done with what runners send. */
export interface GateEvents {
  /** The runner of this number that is expected, or has come. */
  find(runner: number): RunnerLink | undefined
  /** A frame of a runner, other than its greeting. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner's connection has closed. */
  disconnected(link: RunnerLink): void
  /** What a runner sends cannot be read: its connection is closed. */
  unreadable(link: RunnerLink): void
}

/** How long whoever connects may take to say who it is. */
const greetingMs = 5_000
/** The most bytes of what it says. */
const maxGreetingBytes = 4_096
/** Connections over the network that have not said who they are; further ones are closed at once. */
const maxUngreeted = 256

interface ConnectionState {
  readonly connection: FrameConnection
  link: RunnerLink | null
  /** Runs out unless it says who it is. */
  patience: Timer | null
}

type GateSocket = Socket<ConnectionState>

/**
 * Where runners connect, over a unix socket or the network. A connection belongs to the runner that it names, if it
 * knows that runner's word, and nobody has said that word before; before that it may send little, and not for long.
 */
export class RunnerGate implements RunnerDoor {
  readonly #events: GateEvents
  readonly #log: FunctionLog
  readonly #unix: UnixSocketListener<ConnectionState>
  readonly #doors = new Map<string, TCPSocketListener<ConnectionState>>()
  readonly #ungreeted = new Set<GateSocket>()
  /** Who has said its word: whoever reads it on its way can do nothing with it. */
  readonly #greeted = new WeakSet<RunnerLink>()

  constructor(socketPath: string, log: FunctionLog, events: GateEvents) {
    this.#events = events
    this.#log = log
    this.#unix = Bun.listen({ unix: socketPath, socket: this.#handlers() })
  }

  /** The port on which runners are heard at an address; listening begins with the first call. */
  portAt({ hostname, port = 0, tls }: DoorOptions): number {
    const key = `${hostname} ${port}`
    const door =
      this.#doors.get(key) ??
      Bun.listen({ hostname, port, socket: this.#handlers(), ...(tls === undefined ? {} : { tls }) })
    this.#doors.set(key, door)
    return door.port
  }

  /** Hears nobody any more. */
  close(): void {
    for (const socket of this.#ungreeted) this.#drop(socket)
    for (const listener of [this.#unix, ...this.#doors.values()]) listener.stop(true)
  }

  #handlers(): SocketHandler<ConnectionState> {
    return {
      open: (socket) => this.#opened(socket),
      data: (socket, bytes) => this.#received(socket, bytes),
      drain: (socket) => socket.data.connection.drained(),
      close: (socket) => this.#closed(socket),
      // Bun brings here what the handlers throw: bytes that are no frames of ours.
      error: (socket, error) => {
        const link = socket.data?.link
        if (link) {
          this.#log.error('What a runner sends cannot be read', { error })
          this.#events.unreadable(link)
        }
        this.#drop(socket)
      },
    }
  }

  #opened(socket: GateSocket): void {
    const connection = new FrameConnection(socket, maxGreetingBytes)
    const patience = setTimeout(() => this.#drop(socket), greetingMs).unref()
    socket.data = { connection, link: null, patience }
    this.#ungreeted.add(socket)
    if (this.#ungreeted.size > maxUngreeted) this.#drop(socket)
    else if (socket.remoteAddress) {
      socket.setNoDelay(true)
      socket.setKeepAlive(true, greetingMs)
    }
  }

  #received(socket: GateSocket, bytes: Uint8Array): void {
    const { data } = socket
    for (const frame of data.connection.receive(bytes)) {
      if (data.link) this.#events.frame(data.link, frame)
      else if (!this.#greet(socket, frame)) return
    }
  }

  #greet(socket: GateSocket, frame: Frame): boolean {
    const greeting = frame.kind === frameKinds.hello ? decodeJson<unknown>(frame.payload) : null
    const link = isGreeting(greeting) ? this.#events.find(greeting.runner) : undefined
    const word = link?.replica.wordOf(link.nonce) ?? ''
    if (!link || !isGreeting(greeting) || !isSameText(greeting.nonce, word) || this.#greeted.has(link)) {
      this.#drop(socket)
      return false
    }
    this.#forget(socket)
    this.#greeted.add(link)
    socket.data.link = link
    socket.data.connection.maxPayloadBytes = maxFrameBytes
    link.connect(socket.data.connection)
    return true
  }

  #closed(socket: GateSocket): void {
    this.#forget(socket)
    if (socket.data.link) this.#events.disconnected(socket.data.link)
  }

  #drop(socket: GateSocket): void {
    this.#forget(socket)
    socket.terminate()
  }

  #forget(socket: GateSocket): void {
    this.#ungreeted.delete(socket)
    if (socket.data?.patience) clearTimeout(socket.data.patience)
  }
}

interface Greeting {
  readonly runner: number
  readonly nonce: string
}

function isGreeting(value: unknown): value is Greeting {
  const { runner, nonce } = Object(value) as Partial<Greeting>
  return typeof runner === 'number' && typeof nonce === 'string'
}
