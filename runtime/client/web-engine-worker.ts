import type { HostMessage, PageMessage, StartMessage } from '../page/message.ts'

/** Who hears of a worker. */
export interface WorkerListener {
  message(message: HostMessage): void
  /** The worker has ended by itself, `up` or while it came up; called once, and never after `terminate`. */
  died(wasUp: boolean): void
}

/**
 * A module worker. Its death is noticed whatever it dies of: it holds a web lock as long as it lives, and the page
 * waits for that lock.
 */
export class WorkerLink {
  readonly #worker: Worker
  readonly #listener: WorkerListener
  readonly #lockName: string
  readonly #ended = new AbortController()
  #isUp = false

  /** Starts a worker from a module, be it of another origin. */
  constructor(moduleUrl: string, start: Omit<StartMessage, 'kind' | 'lockName'>, listener: WorkerListener) {
    this.#listener = listener
    this.#lockName = `isoplex ${Math.random()} ${performance.now()}`
    this.#worker = startWorker(moduleUrl)
    this.#worker.addEventListener('message', ({ data }: MessageEvent<HostMessage>) => this.#receive(data))
    this.#worker.addEventListener('messageerror', () => this.#died())
    // Once it is up, an error that nobody caught is the function's own, and the worker goes on.
    this.#worker.addEventListener('error', () => this.#isUp || this.#died())
    this.post({ ...start, kind: 'start', lockName: this.#lockName })
  }

  /** Sends a message. */
  post(message: PageMessage): void {
    this.#worker.postMessage(message)
  }

  /** Ends the worker, whatever it does. */
  terminate(): void {
    this.#ended.abort()
    this.#worker.terminate()
  }

  #receive(message: HostMessage): void {
    if (this.#ended.signal.aborted) return
    if (message.kind !== 'up') {
      this.#listener.message(message)
      return
    }
    this.#isUp = true
    navigator.locks
      ?.request(this.#lockName, { signal: this.#ended.signal }, () => this.#died())
      .catch(() => undefined)
  }

  #died(): void {
    if (this.#ended.signal.aborted) return
    this.terminate()
    this.#listener.died(this.#isUp)
  }
}

/** A worker of another origin is not allowed, but one that imports from there is. */
function startWorker(moduleUrl: string): Worker {
  const options = { type: 'module', name: 'isoplex' } as const
  if (new URL(moduleUrl).origin === location.origin) return new Worker(moduleUrl, options)
  const code = new Blob([`import ${JSON.stringify(moduleUrl)}`], { type: 'text/javascript' })
  const url = URL.createObjectURL(code)
  try {
    return new Worker(url, options)
  } finally {
    // The worker has it by then, or soon: a URL that is revoked in the same turn would be gone for it.
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
  }
}
