import { join } from 'node:path'
import type { ChildProcess } from '../../process/child-process.ts'
import type { ReplicaCommand, ReplicaReport, RunnerOrder, RunnerRefusal } from '../message.ts'
import { withPaths } from '../order-paths.ts'
import type { ContentOffer } from './content-offer.ts'
import type { ContentLease, ContentPeer, ContentShelf } from './content-shelf.ts'
import { runnerWord, type SessionKey } from './handshake.ts'

/** A replica's process on its own machine. */
export type ReplicaChild = Pick<
  ChildProcess<ReplicaCommand, ReplicaReport>,
  'pid' | 'send' | 'kill' | 'disconnect' | 'ended'
>

/** What a replica of a node is made with. */
export interface NodeReplicaOptions {
  readonly child: ReplicaChild
  /** The gateway that it is for. */
  readonly peer: ContentPeer
  readonly session: SessionKey
  /** Who has signed the gateway's certificate; `null` where it needs none. */
  readonly authority: string | null
  /** What lies here without being sent. */
  readonly own: ContentOffer
  readonly shelf: ContentShelf
  /** Threads of one operator, where the gateway leaves that open. */
  readonly intraOpThreads: number
  /** Is told of a runner that does not come to be, as a replica would tell of it; `null` where its end was wanted. */
  readonly ended: (runner: number, refusal: RunnerRefusal | null) => void
}

/**
 * A replica that a node has started for a gateway: the gateway's orders are made orders of this machine, with the files
 * that it lacks fetched from the gateway.
 */
export class NodeReplica {
  readonly #options: NodeReplicaOptions
  readonly #leases = new Map<number, ContentLease[]>()
  /** Runners that are to end before their files are here. */
  readonly #preparing = new Set<number>()

  constructor(options: NodeReplicaOptions) {
    this.#options = options
  }

  /** Does what the gateway says. */
  command(command: ReplicaCommand): void {
    if (command.kind === 'start') void this.#start(command.order)
    else if (this.#preparing.delete(command.runner)) this.#options.ended(command.runner, null)
    else this.#options.child.send(command)
  }

  /** To be called when a runner has ended: its files may go. */
  runnerEnded(runner: number): void {
    for (const lease of this.#leases.get(runner) ?? []) lease[Symbol.dispose]()
    this.#leases.delete(runner)
  }

  /** Lets the process end by itself. */
  disconnect(): void {
    this.#options.child.disconnect()
  }

  /** Ends the process, and lets all files go once it has ended. */
  async end(): Promise<void> {
    this.#preparing.clear()
    this.#options.child.kill()
    await this.#options.child.ended
    for (const runner of [...this.#leases.keys()]) this.runnerEnded(runner)
  }

  async #start(wired: RunnerOrder): Promise<void> {
    const { runner } = wired
    this.#preparing.add(runner)
    try {
      const order = await this.#localise(wired)
      // Whoever gave the order may have taken it back, or have gone.
      if (this.#preparing.delete(runner)) this.#options.child.send({ kind: 'start', order })
      else this.runnerEnded(runner)
    } catch (error) {
      this.runnerEnded(runner)
      if (this.#preparing.delete(runner))
        this.#options.ended(runner, { lack: 'files', why: messageOf(error) })
    }
  }

  async #localise(wired: RunnerOrder): Promise<RunnerOrder> {
    const { session, authority, intraOpThreads } = this.#options
    const leases: ContentLease[] = []
    this.#leases.set(wired.runner, leases)
    const placed = await withPaths(wired, {
      bundle: async (name) => {
        const { digest, file } = readFileName(name)
        return join(await this.#have(digest, leases), file)
      },
      model: (digest) => this.#have(digest, leases),
    })
    const { gateway, nonce } = placed
    if ('unix' in gateway)
      throw new TypeError('A gateway of another machine is not reached by a unix socket.')
    return {
      ...placed,
      gateway: { ...gateway, authority },
      nonce: runnerWord(session, nonce),
      session: { ...placed.session, intraOpThreads: placed.session.intraOpThreads || intraOpThreads },
    }
  }

  /** Has content here: what this node serves itself lies here already. */
  async #have(digest: string, leases: ContentLease[]): Promise<string> {
    const { own, shelf, peer } = this.#options
    const found = own.find(digest)
    if (found) return found.folder
    const lease = await shelf.obtain(digest, peer)
    leases.push(lease)
    return lease.path
  }
}

/** How a file of some content is named in an order. */
export function contentFileName(digest: string, file: string): string {
  return `${digest}/${file}`
}

function readFileName(name: string): { readonly digest: string; readonly file: string } {
  const [digest = '', file = '', ...more] = name.split('/')
  const safe = more.length === 0 && /^[\w.-]+$/.test(file) && file !== '.' && file !== '..'
  if (!safe) throw new TypeError('An order names a bundle that is no file of its content.')
  return { digest, file }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
