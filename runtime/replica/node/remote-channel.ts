import { basename } from 'node:path'
import type { ReplicaCommand, RunnerOrder } from '../message.ts'
import { withPaths } from '../order-paths.ts'
import type { ChannelWish, ReplicaChannel } from '../replica-channel.ts'
import type { RunnerDoor } from '../runner-gate.ts'
import type { ContentOffer } from './content-offer.ts'
import { type DialledNode, dialNode, type NodeControl } from './dial.ts'
import { runnerWord, type SessionKey } from './handshake.ts'
import type { NodeMessage } from './message.ts'
import { contentFileName } from './node-replica.ts'
import type { NodeAddress, NodeSecurity } from './security.ts'

/** How a gateway has a replica on a node. */
export interface RemoteOptions {
  /** What reports call the node. */
  readonly node: string
  readonly address: NodeAddress
  readonly security: NodeSecurity
  /** What the node may fetch from this gateway. */
  readonly offer: ContentOffer
  /** By which its runners come in. */
  readonly door: RunnerDoor
  /** The address by which they reach this machine. @default that by which the node is reached, any port */
  readonly runnerAddress: NodeAddress | null
  /** Is told when it has ended. */
  readonly left: () => void
}

/**
 * A replica on a node: a connection of its own, with which it ends. Commands wait until it is there. A connection that is
 * lost is a death, since nobody can say what became of the replica: the node ends it as soon as it notices.
 */
export class RemoteChannel implements ReplicaChannel {
  readonly node: string
  readonly #options: RemoteOptions
  readonly #wish: ChannelWish
  readonly #ended = Promise.withResolvers<void>()
  readonly #early: ReplicaCommand[] = []
  /** Makes words of nonces that were given before there was a session. */
  #session: SessionKey = null
  #control: NodeControl | null = null
  #pid = 0
  #dead = false
  /** One command after the other, though their files take time to read. */
  #sending: Promise<void> = Promise.resolve()

  constructor(options: RemoteOptions, wish: ChannelWish) {
    this.node = options.node
    this.#options = options
    this.#wish = wish
    const { address, security, offer } = options
    dialNode(address, security, offer).then(
      (dialled) => this.#opened(dialled),
      (error: unknown) => this.#end(error instanceof Error ? error.message : String(error)),
    )
  }

  get pid(): number {
    return this.#pid
  }

  get dead(): boolean {
    return this.#dead
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  wordOf(nonce: string): string {
    return runnerWord(this.#session, nonce)
  }

  send(command: ReplicaCommand): void {
    if (this.#control === null) this.#early.push(command)
    else this.#sending = this.#sending.then(() => this.#send(command))
  }

  kill(): void {
    this.#end('it was ended')
  }

  disconnect(): void {
    if (this.#control) this.#control.send({ kind: 'disconnect' })
    else this.kill()
  }

  #opened({ control, session }: DialledNode): void {
    if (this.#dead) {
      control.close('it is not wanted any more')
      return
    }
    this.#control = control
    this.#session = session
    control.send({ kind: 'replica', expectsModels: this.#wish.expectsModels })
    for (const command of this.#early.splice(0)) this.send(command)
    control.open({
      received: (message) => this.#receive(message),
      closed: (why) => this.#end(`its node is lost: ${why}`),
    })
  }

  #receive(message: NodeMessage): void {
    if (message.kind === 'started') this.#pid = message.pid
    else if (message.kind === 'report') this.#wish.received(message.report)
    else if (message.kind === 'ended') this.#end(message.how)
  }

  async #send(command: ReplicaCommand): Promise<void> {
    if (command.kind !== 'start') return this.#control?.send({ kind: 'command', command })
    const { runner } = command.order
    try {
      const order = await this.#wired(command.order)
      this.#control?.send({ kind: 'command', command: { kind: 'start', order } })
    } catch (error) {
      const refusal = { lack: 'files', why: String(error) } as const
      if (!this.#dead) this.#wish.received({ kind: 'ended', runner, refusal })
    }
  }

  /** The order as the node gets it: content instead of paths, and where its runner finds this gateway. */
  async #wired(order: RunnerOrder): Promise<RunnerOrder> {
    const { offer, door, runnerAddress, security } = this.#options
    const hostname = runnerAddress ? everyAddress : (this.#control?.localAddress ?? '')
    const port = door.portAt({
      hostname,
      ...(runnerAddress ? { port: runnerAddress.port } : {}),
      ...(security.tls ? { tls: { cert: security.tls.cert, key: security.tls.key } } : {}),
    })
    const placed = await withPaths(order, {
      bundle: async (path) => contentFileName((await offer.offerFile(path)).digest, basename(path)),
      model: async (path) => (await offer.offerFolder(path)).digest,
    })
    return { ...placed, gateway: { host: runnerAddress?.host ?? hostname, port, authority: null } }
  }

  #end(how: string): void {
    if (this.#dead) return
    this.#dead = true
    this.#control?.close(how)
    this.#options.left()
    this.#wish.ended(how)
    this.#ended.resolve()
  }
}

/** Where runners are heard whose way to this machine only the operator knows. */
const everyAddress = '::'
