import { Worker } from 'node:worker_threads'
import { fromWire } from '../error/wire.ts'
import type { ServiceAnswer, ServiceMethods, ServiceQuestion } from './question.ts'

interface ProgressListener {
  readonly onProgress?: ((progress: never) => void) | undefined
}

interface OpenQuestion extends ProgressListener {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** What questions are rejected with that were open when their thread died. Whether they took effect is not known. */
export class ThreadDeathError extends Error {
  /** `cause` is what the thread died of, where that is known. */
  constructor(cause?: unknown) {
    super('The thread of a service has ended.', { cause })
  }
}

/**
 * A service as seen from another loop: it lives in a thread of its own, since SQLite, hashing and unpacking block
 * theirs. Questions are answered in any order. A thread that has died is started again by the next question.
 */
export class ServiceThread<Served extends ServiceMethods> {
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
    const question: ServiceQuestion = { id, method, parameters, reports: onProgress !== undefined }
    this.#worker.postMessage(question, [...buffers])
    // The thread serves the interface that the type parameter names.
    return promise as Promise<Awaited<ReturnType<Served[Name]>>>
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#data })
    worker.on('message', (answer: ServiceAnswer) => this.#settle(answer))
    worker.on('error', (error) => this.#failAll(new ThreadDeathError(error)))
    worker.on('exit', () => {
      this.#worker = null
      this.#failAll(new ThreadDeathError())
    })
    return worker
  }

  #settle(answer: ServiceAnswer): void {
    const question = this.#open.get(answer.id)
    if ('progress' in answer) {
      question?.onProgress?.(answer.progress as never)
      return
    }
    this.#open.delete(answer.id)
    if ('error' in answer) question?.reject(fromWire(answer.error))
    else question?.resolve(answer.value)
  }

  #failAll(error: ThreadDeathError): void {
    for (const question of this.#open.values()) question.reject(error)
    this.#open.clear()
  }
}

/** Functions cannot cross to a thread: the one that hears of progress is taken out. */
function withoutReporter(
  parameters: readonly unknown[],
): ProgressListener & { readonly parameters: readonly unknown[] } {
  const [first, ...others] = parameters
  if (typeof first !== 'object' || first === null || !('onProgress' in first)) return { parameters }
  const { onProgress, ...rest } = first as ProgressListener
  return { onProgress, parameters: [rest, ...others] }
}
