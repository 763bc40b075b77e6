import type { FunctionLog } from '../../define/context.ts'
import type { ReplicaReport } from '../message.ts'
import type { ChannelEvents } from '../replica-channel.ts'
import { startReplica } from '../replica-process.ts'
import type { ReplicaChild } from './node-replica.ts'

/** How a node's replicas are started. */
export interface WarmOptions {
  /** All of the environment that they get. */
  readonly environment: Readonly<Record<string, string>>
  readonly log: FunctionLog
  /** Another entry file for them. @default the one of isoplex */
  readonly entryPath?: string
}

interface WarmReplica {
  readonly child: ReplicaChild
  /** Whether it has said that it takes orders. */
  ready: boolean
  /** Who has it; `null` while it is at hand. */
  owner: ChannelEvents | null
}

/** How long after one was taken the next is started: who took it needs the cores more. */
const nextMs = 500

/**
 * The replicas of a node: one that has come up is kept at hand, so that a gateway has it at once. It has run nothing yet,
 * whoever gets it.
 */
export class WarmReplicas {
  readonly #options: WarmOptions
  #warm: WarmReplica | null = null
  #next: Timer | null = null
  #closed = false

  constructor(options: WarmOptions) {
    this.#options = options
    this.#keepOne()
  }

  /** Hands a replica over, or starts one. @throws {Error} where the system has no room for another process. */
  readonly take = (wish: ChannelEvents & { readonly expectsModels: boolean }): ReplicaChild => {
    const warm = this.#warm ?? this.#start(wish.expectsModels)
    this.#warm = null
    warm.owner = wish
    if (warm.ready) queueMicrotask(() => wish.received({ kind: 'ready' }))
    this.#next ??= setTimeout(() => this.#keepOne(), nextMs).unref()
    return warm.child
  }

  /** Ends the one at hand, and starts none any more. Those that were handed over are their owners'. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#next) clearTimeout(this.#next)
    this.#warm?.child.kill()
    await this.#warm?.child.ended
  }

  #keepOne(): void {
    this.#next = null
    if (this.#closed || this.#warm) return
    try {
      this.#warm = this.#start(true)
    } catch (error) {
      this.#options.log.warn('There is no replica to have at hand', { error })
    }
  }

  #start(expectsModels: boolean): WarmReplica {
    const replica: WarmReplica = {
      ready: false,
      owner: null,
      child: startReplica(
        { ...this.#options, expectsModels },
        {
          received: (report: ReplicaReport) => {
            replica.ready ||= report.kind === 'ready'
            replica.owner?.received(report)
          },
          ended: (how) => {
            replica.owner?.ended(how)
            if (this.#warm === replica) this.#warm = null
          },
        },
      ),
    }
    return replica
  }
}
