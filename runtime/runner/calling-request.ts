import { IsoplexError } from '../error/error.ts'
import type { Waits } from './waits.ts'

/** The most calls of one request that are under way to other runners; further ones wait for their turn. */
export const maxCallsUnderWay = 64
/** The most functions of which each may wait for the next, the last one with them. */
export const maxCallDepth = 16

/** A request whose function may call others: all of their calls, however deep, are made in its name. */
export class CallingRequest {
  /** Its id in the runner's hands; 0 where there is none, as while a model warms up. */
  readonly id: number
  /** The functions that wait for its answer, outermost first; none where a client does. */
  readonly callers: readonly string[]
  readonly #waits: Waits | null
  readonly #cancels = new Set<() => void>()
  readonly #queue: (() => void)[] = []
  #answered = false

  /** `waits` counts its calls to other runners; `null` where nothing does. */
  constructor(id: number, waits: Waits | null, callers: readonly string[] = []) {
    this.id = id
    this.callers = callers
    this.#waits = waits
  }

  /** @throws {IsoplexError} `CANCELLED` where the request has been answered */
  assertUnanswered(): void {
    if (this.#answered) throw tooLate()
  }

  /**
   * Begins a call to another runner, once there is room for it. What is given ends it. `cancel` is called where the
   * request is answered before that.
   *
   * @throws {IsoplexError} `CANCELLED` where the request has been answered; the reason of the signal once that fires.
   */
  async begin(signal: AbortSignal, cancel: () => void): Promise<() => void> {
    // Whoever came meanwhile may have taken the room.
    while (!this.#answered && this.#cancels.size >= maxCallsUnderWay) await this.#room(signal)
    this.assertUnanswered()
    if (signal.aborted) {
      this.#queue.shift()?.()
      throw signal.reason
    }
    this.#cancels.add(cancel)
    const end = this.#waits?.begin()
    return () => {
      end?.()
      if (this.#cancels.delete(cancel)) this.#queue.shift()?.()
    }
  }

  /** To be called when the request has been answered: what it still waits for is ended, and nothing more is called. */
  close(): void {
    this.#answered = true
    for (const cancel of [...this.#cancels]) cancel()
    for (const go of this.#queue.splice(0)) go()
  }

  #room(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => {
      const position = this.#queue.indexOf(resolve)
      if (position >= 0) this.#queue.splice(position, 1)
      reject(signal.reason)
    }
    this.#queue.push(resolve)
    signal.addEventListener('abort', leave)
    return promise.finally(() => signal.removeEventListener('abort', leave))
  }
}

/** Why a call is refused, or ended, whose caller's request has been answered. */
export function tooLate(): IsoplexError<'CANCELLED'> {
  return new IsoplexError(
    'CANCELLED',
    'The request that this handle belongs to has been answered; await the calls before the function returns.',
  )
}

/** Who calls a function beside which it runs. */
export interface CallPlace {
  readonly request: CallingRequest
  /** The function that answers the request, and those that run beside it, each called by the one before. */
  readonly chain: readonly string[]
  /** What counts all calls of this caller; `null` where nothing does. */
  readonly waits: Waits | null
}

/**
 * The place of a function that is called beside its caller.
 *
 * @throws {IsoplexError} as {@link assertDepth}
 */
export function placeBeside({ request, chain }: CallPlace, name: string, waits: Waits | null): CallPlace {
  assertDepth([...request.callers, ...chain], name)
  return { request, chain: [...chain, name], waits }
}

/** @throws {IsoplexError} `CALL_TOO_DEEP` where too many functions would wait for the one that is called */
export function assertDepth(callers: readonly string[], name: string): void {
  if (callers.length < maxCallDepth) return
  const chain = [...callers, name]
  throw new IsoplexError(
    'CALL_TOO_DEEP',
    `More than ${maxCallDepth} functions would wait for each other: ${chain.join(' > ')}. A function must not call itself without end.`,
    { details: { chain } },
  )
}
