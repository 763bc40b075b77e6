import { anonymous } from '../auth/credentials.ts'
import type { AnyIsoplexError } from '../error/error.ts'
import { quarantined, queueFull, shareExceeded } from './failure.ts'
import { Quarantine } from './quarantine.ts'
import type { RequestQueue } from './queue.ts'
import type { Tallies } from './tallies.ts'

/** How many requests are taken. */
export interface AdmissionOptions {
  /** The most requests that wait for one model of one function; more are refused with `QUEUE_FULL`. */
  readonly maxQueuedRequests: number
  /** The most requests of one principal at a time; more are refused with `SHARE_EXCEEDED`. */
  readonly maxRequestsPerPrincipal: number
  /** What is counted. */
  readonly tallies: Tallies
}

/** How long requests are kept out that end replicas: from the third of a principal, function and model on. */
const quarantineOptions = {
  toleratedDeaths: 2,
  firstMs: 10_000,
  longestMs: 300_000,
  forgottenAfterMs: 600_000,
  maxKeys: 10_000,
}

/** Decides which requests are taken, by what their principals have and have done. */
export class Admission {
  readonly #options: AdmissionOptions
  /** The requests of each principal that have not been answered. */
  readonly #shares = new Map<string, number>()
  readonly #quarantine = new Quarantine(quarantineOptions)

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /**
   * Takes a call of another function in, or says why not. It is part of the request that makes it, which has its share
   * already; queues and quarantines are for all alike.
   */
  admitCall(queue: RequestQueue, principal: string): AnyIsoplexError | null {
    const { tallies } = this.#options
    const refusal = this.#keptOut(queue, principal) ?? this.#crowdedOut(queue, principal)
    if (refusal) tallies.rejections.add(refusal.code)
    return refusal
  }

  /**
   * Takes a request in, or says why not. In a full queue whoever has the most there makes room, be it the newcomer
   * itself. Of what is taken, {@link release} is to be called once it is answered.
   */
  admit(queue: RequestQueue, principal: string): AnyIsoplexError | null {
    const { tallies } = this.#options
    const tally = tallies.principal(principal)
    tally.requests += 1
    const refusal = this.#refusal(queue, principal)
    if (refusal) {
      tally.rejections.add(refusal.code)
      tallies.rejections.add(refusal.code)
    } else this.#shares.set(principal, this.#shareOf(principal) + 1)
    return refusal
  }

  /** A request that was taken has been answered. */
  release(principal: string): void {
    const left = this.#shareOf(principal) - 1
    if (left > 0) this.#shares.set(principal, left)
    else this.#shares.delete(principal)
  }

  /** A request of a principal has ended a replica beyond doubt: the like of it is kept out for a while. */
  convict(queue: RequestQueue, principal: string): void {
    // Nobody is to be kept out because a stranger, who sent no token either, kills replicas.
    if (principal === anonymous) return
    this.#quarantine.add(quarantineKeyOf(queue, principal), performance.now())
  }

  #refusal(queue: RequestQueue, principal: string): AnyIsoplexError | null {
    const keptOut = this.#keptOut(queue, principal)
    if (keptOut) return keptOut
    if (this.#shareOf(principal) >= this.#options.maxRequestsPerPrincipal) return shareExceeded(queue)
    return this.#crowdedOut(queue, principal)
  }

  #keptOut(queue: RequestQueue, principal: string): AnyIsoplexError | null {
    const keptOutMs = this.#keptOutMs(queue, principal)
    return keptOutMs > 0 ? quarantined(queue, keptOutMs) : null
  }

  #crowdedOut(queue: RequestQueue, principal: string): AnyIsoplexError | null {
    return queue.length < this.#options.maxQueuedRequests ? null : makeRoom(queue, principal)
  }

  /** Nearly always nobody is kept out. */
  #keptOutMs(queue: RequestQueue, principal: string): number {
    if (this.#quarantine.empty) return 0
    return this.#quarantine.remainingMs(quarantineKeyOf(queue, principal), performance.now())
  }

  #shareOf(principal: string): number {
    return this.#shares.get(principal) ?? 0
  }
}

function makeRoom(queue: RequestQueue, principal: string): AnyIsoplexError | null {
  const yielding = queue.yielding(principal)
  if (!yielding) return queue.holdsOthers(principal) ? shareExceeded(queue) : queueFull(queue)
  yielding.fail(shareExceeded(queue))
  return null
}

function quarantineKeyOf({ deployment, model }: RequestQueue, principal: string): string {
  return `${principal}\n${deployment.name}\n${model?.key ?? ''}`
}
