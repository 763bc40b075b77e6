import { Worker } from 'node:worker_threads'
import { fromWire, type WireError } from '../error/wire.ts'
import type { Progress, ProgressOptions } from './progress.ts'

/** What crosses to the registry's thread: a question by the name of its method. */
export interface RegistryQuestion {
  readonly id: number
  readonly method: string
  readonly parameters: readonly unknown[]
  /** Whether who asks hears of progress: the first parameter is then to be given an `onProgress`. */
  readonly reports: boolean
}

/** What comes back: any number of reports of progress, then a value or an error. */
export type RegistryAnswer =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }

/** The methods that a thread offers: asynchronous functions over structured-cloneable values. */
type Methods = { readonly [name: string]: (...parameters: never[]) => Promise<unknown> }

interface OpenQuestion extends ProgressOptions {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * The registry as seen from the gateway's loop: it lives in a thread of its own, since SQLite, hashing and
 * unpacking block theirs. Questions are answered in any order.
 */
export class RegistryThread<Served extends Methods> {
  readonly #entry: URL
  readonly #data: unknown
  #worker: Worker | null = null
  readonly #open = new Map<number, OpenQuestion>()
  #nextId = 1

  /** Starts the thread. `data` is what its entry is given. */
  constructor(entry: URL, data: unknown) {
    this.#entry = entry
    this.#data = data
    this.#worker = this.#start()
  }

  /**
   * Asks for one of its methods. Rejects with the error that the method threw, in its wire form's terms. A function
   * `onProgress` in the first parameter stays here, and hears what the method reports.
   */
  ask<Name extends keyof Served & string>(
    method: Name,
    ...parameters: Parameters<Served[Name]>
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    return this.#ask(method, parameters, [])
  }

  /** Asks as {@link ask}, and gives these buffers away with the parameters: they are empty here afterwards. */
  askGiving<Name extends keyof Served & string>(
    buffers: readonly ArrayBuffer[],
    method: Name,
    ...parameters: Parameters<Served[Name]>
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    return this.#ask(method, parameters, buffers)
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #ask<Name extends keyof Served & string>(
    method: Name,
    given: Parameters<Served[Name]>,
    buffers: readonly ArrayBuffer[],
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const { onProgress, parameters } = withoutReporter(given)
    this.#open.set(id, { resolve, reject, onProgress })
    // Where the thread has died, the next question starts another.
    this.#worker ??= this.#start()
    const question: RegistryQuestion = { id, method, parameters, reports: onProgress !== undefined }
    this.#worker.postMessage(question, [...buffers])
    // The thread serves the interface that the type parameter names.
    return promise as Promise<Awaited<ReturnType<Served[Name]>>>
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#data })
    worker.on('message', (answer: RegistryAnswer) => this.#settle(answer))
    worker.on('error', (error) => this.#failAll(error))
    worker.on('exit', () => {
      this.#worker = null
      this.#failAll(new Error('The thread of the registry has ended.'))
    })
    return worker
  }

  #settle(answer: RegistryAnswer): void {
    const question = this.#open.get(answer.id)
    if ('progress' in answer) {
      question?.onProgress?.(answer.progress)
      return
    }
    this.#open.delete(answer.id)
    if ('error' in answer) question?.reject(fromWire(answer.error))
    else question?.resolve(answer.value)
  }

  #failAll(error: unknown): void {
    for (const question of this.#open.values()) question.reject(error)
    this.#open.clear()
  }
}

/** Functions cannot cross to a thread: the one that hears of progress is taken out. */
function withoutReporter(
  parameters: readonly unknown[],
): ProgressOptions & { readonly parameters: readonly unknown[] } {
  const [first, ...others] = parameters
  if (typeof first !== 'object' || first === null || !('onProgress' in first)) return { parameters }
  const { onProgress, ...rest } = first as ProgressOptions
  return { onProgress, parameters: [rest, ...others] }
}
