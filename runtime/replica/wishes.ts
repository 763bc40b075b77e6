import type { AnyIsoplexError } from '../error/error.ts'
import type { RequestQueue } from './queue.ts'

/** For whom a model is loaded, and whether it is to stay. */
export interface LoadOptions {
  readonly pin: boolean
  /** Whose share of bytes it counts towards. */
  readonly principal: string
}

/** A model that is never to be unloaded. */
interface Pin {
  readonly deploymentName: string
  readonly modelKey: string
  /** What is to be loaded where it is not there; `null` until it is known. */
  queue: RequestQueue | null
  principal: string
}

/** A load that somebody waits for. */
interface AwaitedLoad {
  readonly queue: RequestQueue
  readonly principal: string
  readonly done: PromiseWithResolvers<void>
}

/** What is to be loaded although no request waits for it: models that are pinned, and those that were asked for. */
export class Wishes {
  /** By function and model: a pin outlives runners, replicas and versions of the function. */
  readonly #pins = new Map<string, Pin>()
  /** By queue. */
  readonly #awaited = new Map<string, AwaitedLoad>()

  /** Pins a model of a function. */
  pin(deploymentName: string, modelKey: string): void {
    const key = pinKeyOf(deploymentName, modelKey)
    if (!this.#pins.has(key)) this.#pins.set(key, { deploymentName, modelKey, queue: null, principal: '' })
  }

  /** Takes the pins of a model away, of one function or (`null`) of all; gives the queues that they were about. */
  unpin(deploymentName: string | null, modelKey: string): RequestQueue[] {
    const queues: RequestQueue[] = []
    for (const [key, pin] of this.#pins) {
      if (pin.modelKey !== modelKey || (deploymentName ?? pin.deploymentName) !== pin.deploymentName) continue
      this.#pins.delete(key)
      if (pin.queue) queues.push(pin.queue)
    }
    return queues
  }

  /** Makes known what a pin is about, and for whom it was loaded; nothing where there is no such pin. */
  identify(queue: RequestQueue, principal: string): void {
    const pin = this.#pins.get(pinOf(queue))
    if (!pin) return
    pin.queue = queue
    pin.principal = principal
  }

  /** Whether a queue's model is pinned. */
  isPinned(queue: RequestQueue): boolean {
    return this.#pins.has(pinOf(queue))
  }

  /** Waits until a queue has a runner that serves; however many wait, it is one wish. */
  wait(queue: RequestQueue, principal: string): Promise<void> {
    const known = this.#awaited.get(queue.key)
    if (known) return known.done.promise
    const done = Promise.withResolvers<void>()
    this.#awaited.set(queue.key, { queue, principal, done })
    return done.promise
  }

  /** Whether somebody waits for a queue's runner. */
  isAwaited({ key }: RequestQueue): boolean {
    return this.#awaited.has(key)
  }

  /** For whom a queue is to be loaded, where no request says. */
  principalOf(queue: RequestQueue): string {
    return this.#awaited.get(queue.key)?.principal ?? this.#pins.get(pinOf(queue))?.principal ?? ''
  }

  /** A queue has a runner that serves. */
  fulfil({ key }: RequestQueue): void {
    this.#awaited.get(key)?.done.resolve()
    this.#awaited.delete(key)
  }

  /** A queue's runner cannot be had. */
  refuse({ key }: RequestQueue, error: AnyIsoplexError): void {
    this.#awaited.get(key)?.done.reject(error)
    this.#awaited.delete(key)
  }

  /** Forgets the pins, and refuses whoever waits. */
  clear(error: AnyIsoplexError): void {
    this.#pins.clear()
    for (const { queue } of [...this.#awaited.values()]) this.refuse(queue, error)
  }

  /** The queues that are to have a runner. */
  queues(): RequestQueue[] {
    const pinned = [...this.#pins.values()].map(({ queue }) => queue).filter((queue) => queue !== null)
    return [...new Set([...pinned, ...[...this.#awaited.values()].map(({ queue }) => queue)])]
  }

  /** Whether a queue has to stay, although nothing waits in it and nobody serves it. */
  keeps(queue: RequestQueue): boolean {
    return this.isAwaited(queue) || this.#pins.get(pinOf(queue))?.queue === queue
  }
}

function pinOf({ deployment, model }: RequestQueue): string {
  return pinKeyOf(deployment.name, model?.key ?? '')
}

function pinKeyOf(deploymentName: string, modelKey: string): string {
  return `${deploymentName} ${modelKey}`
}
