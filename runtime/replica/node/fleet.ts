import type { FunctionLog } from '../../define/context.ts'
import type { ChannelOpener, ReplicaPlaces } from '../replica-channel.ts'
import type { ReplicaProcess } from '../replica-process.ts'
import type { RunnerDoor } from '../runner-gate.ts'
import { ContentOffer } from './content-offer.ts'
import type { NodeDirectory } from './directory.ts'
import { NodeWatch } from './node-watch.ts'
import { RemoteChannel } from './remote-channel.ts'
import { assertProtected, formatNodeAddress, type NodeAddress, type NodeSecurity } from './security.ts'

/** What a fleet is made with. */
export interface FleetOptions {
  readonly directory: NodeDirectory
  readonly security: NodeSecurity
  /** The address by which runners reach this machine. @default that by which their node is reached */
  readonly runnerAddress: NodeAddress | null
  readonly log: FunctionLog
}

/** A node as an operator sees it. */
export interface NodeReport {
  readonly node: string
  readonly state: 'up' | 'leaving' | 'missing'
  /** Replicas that it offers. */
  readonly places: number
  /** The version of isoplex that it runs; `null` while it is missing. */
  readonly version: string | null
  /** Why it is missing; `null` where it is not. */
  readonly trouble: string | null
}

/** The nodes that a gateway has its replicas on, as its directory tells. */
export class NodeFleet implements ReplicaPlaces {
  readonly offer = new ContentOffer()
  readonly #options: FleetOptions
  readonly #watches = new Map<string, NodeWatch>()
  /** Which node has the place of a number. */
  readonly #places = new Map<number, NodeWatch>()
  /** Channels that have not ended, by node. */
  readonly #channels = new Map<NodeWatch, number>()
  readonly #listeners = new Set<() => void>()
  #named: ReadonlyMap<string, NodeAddress> = new Map()

  constructor(options: FleetOptions) {
    this.#options = options
    options.directory.follow((nodes) => this.#follow(nodes))
  }

  /** The nodes, those first that the directory names first. */
  get nodes(): readonly NodeWatch[] {
    return [...this.#watches.values()]
  }

  /** Those that take replicas. */
  get up(): readonly NodeWatch[] {
    return this.nodes.filter(isUp)
  }

  /** The number of each place that the nodes offer, however many are asked for. */
  numbersFor(_size?: number): readonly number[] {
    return [...this.#places.keys()].toSorted((a, b) => a - b)
  }

  /** Reports how the nodes are. */
  report(): readonly NodeReport[] {
    return this.nodes.map(({ name, facts, trouble }) => ({
      node: name,
      state: facts === null ? 'missing' : facts.leaving ? 'leaving' : 'up',
      places: facts?.places ?? 0,
      version: facts?.version ?? null,
      trouble: facts === null ? trouble : null,
    }))
  }

  /** Has a listener told of every change of the nodes, until what it gives is disposed of. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Who opens a channel for a place, or for a spare where fewest are. */
  openerFor(number: number | null, door: RunnerDoor): ChannelOpener | null {
    return this.#openerAt(number === null ? this.#emptiest() : this.#places.get(number), door)
  }

  /** The places of a group of its own, each on the node that has fewest replicas when it is taken. */
  group(): ReplicaPlaces {
    return {
      numbersFor: (size) => (this.up.length > 0 ? Array.from({ length: size }, (_, number) => number) : []),
      openerFor: (_, door) => this.#openerAt(this.#emptiest(), door),
      suits: () => true,
      mayStay: (spare) => this.mayStay(spare),
      onChange: (listener) => this.onChange(listener),
      group: () => this.group(),
    }
  }

  #openerAt(watch: NodeWatch | undefined, door: RunnerDoor): ChannelOpener | null {
    if (!watch || !isUp(watch)) return null
    const { security, runnerAddress } = this.#options
    return (wish) => {
      this.#channels.set(watch, (this.#channels.get(watch) ?? 0) + 1)
      const left = (): void => {
        this.#channels.set(watch, (this.#channels.get(watch) ?? 1) - 1)
      }
      const { name: node, address } = watch
      const { offer } = this
      return new RemoteChannel({ node, address, security, offer, door, runnerAddress, left }, wish)
    }
  }

  /** A spare takes places of its own node. */
  suits({ node }: ReplicaProcess, number: number): boolean {
    return node !== null && this.#places.get(number)?.name === node
  }

  /** A spare stays as long as its node does not leave. */
  mayStay({ node }: ReplicaProcess): boolean {
    return this.up.some(({ name }) => name === node)
  }

  /** Watches no node any more. Replicas are their owners' to end. */
  close(): void {
    this.#options.directory[Symbol.dispose]()
    for (const watch of this.#watches.values()) watch.close()
  }

  #emptiest(): NodeWatch | undefined {
    const countOf = (watch: NodeWatch): number => this.#channels.get(watch) ?? 0
    return this.up.toSorted((a, b) => countOf(a) - countOf(b))[0]
  }

  #follow(nodes: readonly NodeAddress[]): void {
    const { security, log } = this.#options
    const named = new Map(nodes.map((address) => [formatNodeAddress(address), address]))
    this.#named = named
    for (const [name, address] of named) {
      if (this.#watches.has(name)) continue
      try {
        assertProtected(security, address)
      } catch (error) {
        log.error('A node is not spoken with', { node: name, error })
        continue
      }
      const { offer } = this
      const changed = (): void => this.#changed()
      this.#watches.set(name, new NodeWatch({ address, security, offer, log, changed }))
    }
    this.#changed()
  }

  /** Nodes that are not named any more stay until one that is named is there, or none is. */
  #forget(): void {
    const covered = this.#named.size === 0 || this.up.some(({ name }) => this.#named.has(name))
    for (const [name, watch] of this.#watches) {
      if (this.#named.has(name) || (!covered && watch.facts)) continue
      this.#watches.delete(name)
      watch.close()
    }
  }

  #changed(): void {
    this.#forget()
    const up = new Set(this.up)
    const kept = new Map<NodeWatch, number>()
    for (const number of this.numbersFor()) {
      const watch = this.#places.get(number)
      const count = watch ? (kept.get(watch) ?? 0) : 0
      if (watch && up.has(watch) && count < (watch.facts?.places ?? 0)) kept.set(watch, count + 1)
      else this.#places.delete(number)
    }
    for (const watch of up) {
      for (let count = kept.get(watch) ?? 0; count < (watch.facts?.places ?? 0); count += 1)
        this.#places.set(this.#freeNumber(), watch)
    }
    for (const listener of this.#listeners) listener()
  }

  #freeNumber(): number {
    let number = 0
    while (this.#places.has(number)) number += 1
    return number
  }
}

function isUp({ facts }: NodeWatch): boolean {
  return facts !== null && !facts.leaving
}
