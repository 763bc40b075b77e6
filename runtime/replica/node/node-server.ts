import type { Socket, TCPSocketListener } from 'bun'
import type { FunctionLog } from '../../define/context.ts'
import { certifiedName } from '../runner-dial.ts'
import { ControlConnection } from './control-connection.ts'
import { answerHandshake } from './handshake.ts'
import type { GatewayMessage, NodeFacts, NodeMessage } from './message.ts'
import { NodeSession, type SessionOptions } from './node-session.ts'
import {
  assertProtected,
  formatNodeAddress,
  type NodeAddress,
  type NodeSecurity,
  tlsOptionsOf,
} from './security.ts'

/** How a node is opened to gateways. */
export interface NodeServerOptions extends Omit<SessionOptions, 'facts'> {
  readonly address: NodeAddress
  readonly security: NodeSecurity
  readonly facts: NodeFacts
  readonly log: FunctionLog
}

interface ConnectionState {
  readonly control: ControlConnection<NodeMessage, GatewayMessage>
  /** Who connected, for the log. */
  readonly from: string
  session: NodeSession | null
  /** Runs out unless the gateway proves itself. */
  patience: Timer | null
}

type ControlSocket = Socket<ConnectionState>

/** How long whoever connects may take to prove itself. */
const handshakeMs = 5_000
/** Connections that have not yet; further ones are closed at once. */
const maxStrangers = 64
/** Connections in all. */
const maxConnections = 1_024
/** How often the system looks whether the other end is still there. */
const keepAliveMs = 5_000

/**
 * Takes connections of gateways, and starts replicas for them. Whoever proves itself may have code of its own run here:
 * so only gateways may have the key, or a certificate of the authority.
 */
export class NodeServer {
  readonly #options: NodeServerOptions
  readonly #listener: TCPSocketListener<ConnectionState>
  readonly #strangers = new Set<ControlSocket>()
  readonly #sessions = new Set<NodeSession>()
  readonly #connections = new Set<ControlSocket>()
  #facts: NodeFacts

  /**
   * @throws {IsoplexError} `CONFIG_INVALID` where anybody could connect.
   * @throws {Error} where the address cannot be had.
   */
  constructor(options: NodeServerOptions) {
    const { address, security } = options
    assertProtected(security, address)
    this.#options = options
    this.#facts = options.facts
    const tls = tlsOptionsOf(security, 'node')
    this.#listener = Bun.listen<ConnectionState>({
      hostname: address.host,
      port: address.port,
      ...(tls === undefined ? {} : { tls }),
      socket: {
        open: (socket) => this.#opened(socket),
        handshake: (socket, success, error) => this.#certified(socket, success && !error),
        data: (socket, bytes) => socket.data.control.receive(bytes),
        drain: (socket) => socket.data.control.drained(),
        close: (socket) => this.#closed(socket, 'the gateway has closed the connection'),
        error: (socket) => this.#closed(socket, 'what the gateway sends cannot be read'),
      },
    })
  }

  /** Where it listens. */
  get address(): NodeAddress {
    return { host: this.#options.address.host, port: this.#listener.port }
  }

  /** Replicas that it has for gateways now. */
  get replicas(): number {
    return [...this.#sessions].filter(({ hasReplica }) => hasReplica).length
  }

  /** Tells every gateway what this node is from now on. */
  tell(facts: Partial<NodeFacts>): void {
    this.#facts = Object.freeze({ ...this.#facts, ...facts })
    for (const session of this.#sessions) session.tell(this.#facts)
  }

  /**
   * Tells gateways that it leaves, and waits until they have let go of their replicas; then ends what is left, all of it
   * by the time given.
   */
  async close(timeoutMs: number): Promise<void> {
    this.tell({ leaving: true })
    const untilMs = performance.now() + timeoutMs
    while (this.replicas > 0 && performance.now() < untilMs) await Bun.sleep(lookMs)
    this.#listener.stop(true)
    for (const socket of [...this.#strangers]) this.#closed(socket, 'the node ends')
    await Promise.all([...this.#sessions].map((session) => session.end()))
  }

  #opened(socket: ControlSocket): void {
    // What a node offers on all of its connections is what it serves itself.
    const control = new ControlConnection<NodeMessage, GatewayMessage>(socket, this.#options.own)
    const patience = setTimeout(() => this.#closed(socket, 'it did not prove itself in time'), handshakeMs)
    // A socket that has closed does not know any more.
    const from = formatNodeAddress({ host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 })
    socket.data = { control, from, session: null, patience: patience.unref() }
    this.#strangers.add(socket)
    this.#connections.add(socket)
    if (this.#strangers.size > maxStrangers || this.#connections.size > maxConnections)
      this.#closed(socket, 'too many connections')
    else {
      socket.setNoDelay(true)
      socket.setKeepAlive(true, keepAliveMs)
      if (!this.#options.security.tls) void this.#greet(socket)
    }
  }

  #certified(socket: ControlSocket, success: boolean): void {
    const { subjectaltname = '' } = success ? (socket.getPeerCertificate() ?? {}) : {}
    const named = String(subjectaltname).split(', ').includes(`DNS:${certifiedName}`)
    if (success && socket.authorized && named) void this.#greet(socket)
    else this.#closed(socket, 'its certificate is none of ours')
  }

  async #greet(socket: ControlSocket): Promise<void> {
    const { control } = socket.data
    const { security, log, ...options } = this.#options
    try {
      const key = await answerHandshake(control, security.key)
      this.#forget(socket)
      const authority = security.tls?.ca ?? null
      const session = new NodeSession(control, key, { ...options, authority, facts: () => this.#facts })
      socket.data.session = session
      this.#sessions.add(session)
      void session.ended.finally(() => this.#sessions.delete(session))
      control.open(session)
    } catch (error) {
      log.warn('A gateway was not let in', { from: socket.data.from, error })
      // The refusal leaves first; who does not take it is put out when its time is up.
      control.end()
    }
  }

  #closed(socket: ControlSocket, why: string): void {
    if (!socket.data) return
    this.#forget(socket)
    this.#connections.delete(socket)
    socket.data.control.close(why)
  }

  #forget(socket: ControlSocket): void {
    this.#strangers.delete(socket)
    if (socket.data.patience) clearTimeout(socket.data.patience)
    socket.data.patience = null
  }
}

/** How often it is looked whether the last replica has gone. */
const lookMs = 20
