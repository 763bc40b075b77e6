import type { ChannelEvents } from '../replica-channel.ts'
import type { ContentOffer } from './content-offer.ts'
import type { ContentShelf } from './content-shelf.ts'
import type { ControlConnection, ControlEvents } from './control-connection.ts'
import type { SessionKey } from './handshake.ts'
import type { GatewayMessage, NodeFacts, NodeMessage } from './message.ts'
import { NodeReplica, type ReplicaChild } from './node-replica.ts'

/** What sessions of a node have in common. */
export interface SessionOptions {
  /** Starts a replica's process, or hands one over that is at hand. @throws {Error} where there is no room for one. */
  readonly startReplica: (wish: ChannelEvents & { readonly expectsModels: boolean }) => ReplicaChild
  readonly own: ContentOffer
  readonly shelf: ContentShelf
  /** Threads of one operator, where the gateway leaves that open. */
  readonly intraOpThreads: number
  readonly facts: () => NodeFacts
}

/** A gateway that has proved itself, on one connection: it watches the node, or has a replica, which ends with it. */
export class NodeSession implements ControlEvents<GatewayMessage> {
  readonly #control: ControlConnection<NodeMessage, GatewayMessage>
  readonly #key: SessionKey
  readonly #options: SessionOptions & { readonly authority: string | null }
  readonly #ended = Promise.withResolvers<void>()
  #watches = false
  #replica: NodeReplica | null = null

  constructor(
    control: ControlConnection<NodeMessage, GatewayMessage>,
    key: SessionKey,
    options: SessionOptions & { readonly authority: string | null },
  ) {
    this.#control = control
    this.#key = key
    this.#options = options
  }

  /** Whether it has a replica that has not ended. */
  get hasReplica(): boolean {
    return this.#replica !== null
  }

  /** Resolves once the connection has closed and its replica has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Says what the node is, where the gateway wants to hear it. */
  tell(facts: NodeFacts): void {
    if (this.#watches) this.#control.send({ kind: 'facts', facts })
  }

  /** Closes the connection, and ends its replica. */
  async end(): Promise<void> {
    this.#control.close('the node ends')
    await this.ended
  }

  /** What the gateway says. */
  received(message: GatewayMessage): void {
    if (message.kind === 'watch') {
      this.#watches = true
      this.tell(this.#options.facts())
    } else if (message.kind === 'replica') this.#start(message.expectsModels)
    else if (message.kind === 'command') this.#replica?.command(message.command)
    else if (message.kind === 'disconnect') this.#replica?.disconnect()
  }

  /** The gateway has gone, or has been given up: nobody would hear its replica. */
  closed(): void {
    const ended = this.#replica?.end() ?? Promise.resolve()
    this.#replica = null
    void ended.finally(() => this.#ended.resolve())
  }

  #start(expectsModels: boolean): void {
    if (this.#replica) {
      this.#control.close('it asked for a second replica')
      return
    }
    try {
      const child = this.#options.startReplica({
        expectsModels,
        received: (report) => {
          if (report.kind === 'ended') this.#replica?.runnerEnded(report.runner)
          this.#control.send({ kind: 'report', report })
        },
        ended: (how) => this.#childEnded(how),
      })
      const { own, shelf, intraOpThreads, authority } = this.#options
      this.#replica = new NodeReplica({
        child,
        peer: this.#control,
        session: this.#key,
        authority,
        own,
        shelf,
        intraOpThreads,
        ended: (runner, refusal) =>
          this.#control.send({ kind: 'report', report: { kind: 'ended', runner, refusal } }),
      })
      this.#control.send({ kind: 'started', pid: child.pid })
    } catch {
      this.#childEnded('there is no room for another process')
    }
  }

  #childEnded(how: string): void {
    this.#control.send({ kind: 'ended', how })
    this.#control.end()
  }
}
