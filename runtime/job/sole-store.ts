import { IsoplexError } from '../error/error.ts'
import type { JobStore } from './store.ts'
import { ownerOf, tryOwn } from './store-owner.ts'

/** What a sole store is made from. */
export interface SoleStoreOptions {
  /** As `tryOwn` takes it. */
  readonly ownerPath: string
  /** Opens the store itself; called while nobody else owns it. */
  readonly open: () => Promise<JobStore>
  /** Hears that somebody else owns the store, with the process id where it is known. Once, until it has been owned. */
  readonly onTaken: (ownerPid: number | null) => void
  /** Hears that the store is owned now, after it was taken. */
  readonly onOwned: () => void
  /** Time between two tries to own the store. @default 2000 */
  readonly retryMs?: number
}

type Method = Exclude<keyof JobStore, 'close'>

/**
 * A store that only one server at a time may have open. While another one has it, all methods throw
 * `JOB_STORE_UNAVAILABLE` with the reason `taken`; once that one has ended, the store is opened. Where opening it
 * fails, they throw why, and it is tried again.
 */
export function openSoleStore(options: SoleStoreOptions): JobStore {
  const keeper = new SoleStoreKeeper(options)
  const pass =
    <Name extends Method>(name: Name) =>
    async (...parameters: Parameters<JobStore[Name]>): Promise<Awaited<ReturnType<JobStore[Name]>>> => {
      const store = await keeper.store()
      const method = store[name] as (...given: typeof parameters) => ReturnType<JobStore[Name]>
      return await method(...parameters)
    }
  return Object.freeze<JobStore>({
    submit: pass('submit'),
    get: pass('get'),
    list: pass('list'),
    events: pass('events'),
    read: pass('read'),
    cancel: pass('cancel'),
    take: pass('take'),
    renew: pass('renew'),
    release: pass('release'),
    beginStep: pass('beginStep'),
    recordStep: pass('recordStep'),
    saveCheckpoint: pass('saveCheckpoint'),
    beginRollback: pass('beginRollback'),
    recordRollback: pass('recordRollback'),
    keepFile: pass('keepFile'),
    fetch: pass('fetch'),
    report: pass('report'),
    finish: pass('finish'),
    countQueued: pass('countQueued'),
    sweep: pass('sweep'),
    close: () => keeper.close(),
  })
}

/** Tries to own a store until it does. */
class SoleStoreKeeper {
  readonly #options: SoleStoreOptions
  readonly #retryMs: number
  #opening: Promise<JobStore>
  #owned: Disposable | null = null
  #wasTaken = false
  #retry: Timer | undefined
  #closed = false

  constructor(options: SoleStoreOptions) {
    this.#options = options
    this.#retryMs = options.retryMs ?? 2_000
    this.#opening = this.#try()
  }

  /** The store, or why there is none now. */
  store(): Promise<JobStore> {
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    const store = await this.#opening.catch(() => null)
    try {
      await store?.close()
    } finally {
      this.#owned?.[Symbol.dispose]()
      this.#owned = null
    }
  }

  #try(): Promise<JobStore> {
    const opening = this.#open()
    // Whoever asks is told; where nobody does, it is tried again all the same.
    opening.catch(() => {
      if (this.#closed) return
      this.#retry = setTimeout(() => {
        this.#opening = this.#try()
      }, this.#retryMs)
    })
    return opening
  }

  async #open(): Promise<JobStore> {
    this.#owned = tryOwn(this.#options.ownerPath)
    if (this.#owned === null) throw this.#noteTaken()
    try {
      const store = await this.#options.open()
      if (this.#wasTaken) this.#options.onOwned()
      this.#wasTaken = false
      return store
    } catch (error) {
      this.#owned[Symbol.dispose]()
      this.#owned = null
      throw error
    }
  }

  #noteTaken(): IsoplexError<'JOB_STORE_UNAVAILABLE'> {
    if (!this.#wasTaken) this.#options.onTaken(ownerOf(this.#options.ownerPath))
    this.#wasTaken = true
    return new IsoplexError(
      'JOB_STORE_UNAVAILABLE',
      'Another server keeps the jobs of this state folder; end it, or let both keep their jobs in a PostgreSQL database by "jobStoreUrl".',
      { details: { reason: 'taken', retryAfterMs: this.#retryMs } },
    )
  }
}
