import type { FunctionLog } from '../../define/context.ts'
import type { ContentOffer } from './content-offer.ts'
import type { ContentPeer } from './content-shelf.ts'
import { dialNode, type NodeControl } from './dial.ts'
import { HandshakeError } from './handshake.ts'
import type { NodeFacts } from './message.ts'
import { formatNodeAddress, type NodeAddress, type NodeSecurity } from './security.ts'

/** What a watch of a node is made with. */
export interface NodeWatchOptions {
  readonly address: NodeAddress
  readonly security: NodeSecurity
  readonly offer: ContentOffer
  readonly log: FunctionLog
  /** Is told when the node has come up, has changed, or is lost. */
  readonly changed: () => void
}

const shortestRetryMs = 250
const longestRetryMs = 5_000

/** Keeps a connection to a node, by which the gateway knows what it is and whether it is there. */
export class NodeWatch {
  readonly name: string
  readonly #options: NodeWatchOptions
  #control: NodeControl | null = null
  #facts: NodeFacts | null = null
  #retryMs = shortestRetryMs
  #retry: Timer | null = null
  #told = ''
  #closed = false

  constructor(options: NodeWatchOptions) {
    this.#options = options
    this.name = formatNodeAddress(options.address)
    void this.#connect()
  }

  /** Where it listens. */
  get address(): NodeAddress {
    return this.#options.address
  }

  /** What it is; `null` while it is not there. */
  get facts(): NodeFacts | null {
    return this.#facts
  }

  /** By whom its content is to be had; `null` while it is not there. */
  get peer(): ContentPeer | null {
    return this.#control
  }

  /** Why it is not there; empty while it is. */
  get trouble(): string {
    return this.#told
  }

  /** Watches it no more. */
  close(): void {
    this.#closed = true
    if (this.#retry) clearTimeout(this.#retry)
    this.#control?.close('the gateway watches it no more')
  }

  async #connect(): Promise<void> {
    this.#retry = null
    const { address, security, offer, log, changed } = this.#options
    try {
      const { control } = await dialNode(address, security, offer)
      if (this.#closed) return control.close('the gateway watches it no more')
      this.#control = control
      control.send({ kind: 'watch' })
      control.open({
        received: (message) => {
          if (message.kind !== 'facts') return
          if (this.#facts === null)
            log.info('A node is there', { node: this.name, places: message.facts.places })
          this.#facts = message.facts
          this.#told = ''
          this.#retryMs = shortestRetryMs
          changed()
        },
        closed: (why) => this.#lost(why),
      })
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error), error)
    }
  }

  #lost(why: string, error?: unknown): void {
    const { log, changed } = this.#options
    this.#control = null
    if (this.#closed) return
    // What is tried again and again is told once.
    if (this.#told !== why) log.warn('A node is not there', { node: this.name, why })
    this.#told = why
    this.#retryMs = error instanceof HandshakeError ? longestRetryMs : this.#retryMs
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2)
    if (this.#facts === null) return
    this.#facts = null
    changed()
  }
}
