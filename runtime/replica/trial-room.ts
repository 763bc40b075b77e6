import type { AnyIsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import { breakStream } from './delivery.ts'
import { loadBroken } from './failure.ts'
import { decodeJson, type Frame, frameKinds } from './frame.ts'
import type { EndOfRunner, ReplicaPool } from './pool.ts'
import { RequestQueue } from './queue.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { RunnerLink } from './runner-link.ts'
import type { Ticket } from './ticket.ts'

/** What may have ended replicas. */
export interface Suspect {
  /** Where it comes from: the function and the model. */
  readonly queue: RequestQueue
  /** The request; `null` where loading itself is suspected. */
  readonly ticket: Ticket | null
}

/** What a room for trials is made from. */
export interface TrialRoomOptions {
  readonly pool: Pick<ReplicaPool, 'takeSpare' | 'dismiss' | 'start' | 'terminate'>
  /** The longest that a function and its model may take to come up. */
  readonly loadTimeoutMs: number
  readonly events: TrialEvents
}

/** What becomes of trials, but for a request that is answered: that one's caller has been told. */
export interface TrialEvents {
  /** Who is to be tried here next, be it the one that is tried already; `undefined` for nobody. */
  next(): Suspect | undefined
  /** The load of its model, or the request, did not end anything, or has to be given up: it is tried no more. */
  dismissed(suspect: Suspect): void
  /** It died of this, and of nothing else. */
  convicted(suspect: Suspect): void
  /** The function and its model came up. */
  loadAcquitted(queue: RequestQueue): void
  /** The function or its model did not come up, in an orderly way. */
  loadFailed(queue: RequestQueue, error: AnyIsoplexError): void
  /** A frame of a runner that belongs to a request. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner has let go of what it had in hand, or waits for others. */
  changed(): void
}

/** A replica set apart in which one suspect after the other is tried, alone. It has one only while there is somebody to try. */
export class TrialRoom {
  readonly #options: TrialRoomOptions
  #replica: ReplicaProcess | null = null
  /** The runner of the trial, kept for the next suspect of the same function and model. */
  #runner: RunnerLink | null = null
  #trial: Suspect | null = null

  constructor(options: TrialRoomOptions) {
    this.#options = options
  }

  /** Who is tried now; `null` where nobody is. */
  get trial(): Suspect | null {
    return this.#trial
  }

  /** Whether it has neither a replica nor somebody to try. */
  get empty(): boolean {
    return this.#replica === null && this.#trial === null
  }

  /** Goes on with the next trial as far as that is possible; to be called when a spare replica has come up. */
  proceed(): void {
    if (this.#trial) return
    const suspect = this.#options.events.next()
    this.#clear(suspect)
    if (!this.#runner) {
      if (suspect) this.#start(suspect)
      else this.#close()
    } else if (suspect && this.#runner.state === 'active' && this.#runner.idle) {
      this.#try(suspect, this.#runner)
    }
  }

  /** Ends the trial of a suspect that is one no more. */
  release(suspect: Suspect): void {
    if (this.#trial === suspect) this.#trial = null
  }

  #start(suspect: Suspect): void {
    const { pool, loadTimeoutMs } = this.#options
    this.#replica ??= pool.takeSpare()
    if (!this.#replica) return
    const queue = new RequestQueue(suspect.queue.key, suspect.queue)
    const link = pool.start(this.#replica, queue, {
      frame: (from, frame) => this.#receive(from, frame),
      ended: (from, how) => this.#ended(from, how),
    })
    this.#runner = link
    this.#trial = suspect
    link.within(loadTimeoutMs, () => {
      this.#failLoad(suspect, loadBroken(suspect.queue, `did not come up within ${loadTimeoutMs} ms`))
      pool.terminate(link, 'it does not come up')
    })
  }

  #try(suspect: Suspect, link: RunnerLink): void {
    this.#trial = suspect
    if (!suspect.ticket) {
      this.#acquitLoad(suspect)
      return
    }
    link.send([suspect.ticket], performance.now())
    link.flush()
  }

  #receive(link: RunnerLink, frame: Frame): void {
    if (frame.kind === frameKinds.ready) {
      if (link.state !== 'starting') return
      link.inTime()
      link.state = 'active'
      if (this.#trial) this.#try(this.#trial, link)
    } else if (frame.kind === frameKinds.failed) {
      this.#retire(link)
      if (this.#trial) this.#failLoad(this.#trial, fromWire(decodeJson<WireError>(frame.payload)))
    } else {
      this.#options.events.frame(link, frame)
    }
    if (link === this.#runner) this.proceed()
    else if (link.idle) this.#retire(link)
    this.#options.events.changed()
  }

  #ended(link: RunnerLink, { crashed }: EndOfRunner): void {
    for (const sent of link.abandon()) breakStream(sent)
    this.#options.events.changed()
    if (link !== this.#runner) {
      this.#options.pool.dismiss(link.replica)
      return
    }
    this.#runner = null
    if (crashed) this.#replica = null
    const trial = this.#trial
    if (trial) {
      this.#options.events.dismissed(trial)
      this.#options.events.convicted(trial)
    }
    this.proceed()
  }

  #acquitLoad(suspect: Suspect): void {
    this.#options.events.dismissed(suspect)
    this.#options.events.loadAcquitted(suspect.queue)
  }

  #failLoad(suspect: Suspect, error: AnyIsoplexError): void {
    this.#options.events.dismissed(suspect)
    suspect.ticket?.fail(error)
    this.#options.events.loadFailed(suspect.queue, error)
  }

  /**
   * Has a runner go that is of no use for the next trial. One that streams an answer is left to it, with its replica;
   * one that comes up is waited for.
   */
  #clear(next: Suspect | undefined): void {
    const link = this.#runner
    if (link?.streaming) {
      this.#runner = null
      this.#replica = null
    } else if (link?.state === 'active' && link.idle && link.queue.key !== next?.queue.key) {
      this.#retire(link)
    }
  }

  #retire(link: RunnerLink): void {
    if (link.state === 'retiring') return
    link.state = 'retiring'
    link.stop()
    link.within(link.takedownMs, () => this.#options.pool.terminate(link, 'it does not end'))
  }

  #close(): void {
    if (this.#runner || !this.#replica) return
    this.#options.pool.dismiss(this.#replica)
    this.#replica = null
  }
}
