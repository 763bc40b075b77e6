import { IsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import type { HostMessage, StartMessage } from '../page/message.ts'
import type { LocalCall } from './web-engine-call.ts'
import { WorkerLink } from './web-engine-worker.ts'

/** How long nothing may be heard of a function or model that comes up; the server's default. */
const comingUpMs = 120_000
/** How long a worker has to let go of a request whose time is up. */
const overdueGraceMs = 1_000

/** Why a worker had to be replaced, where it does not say so itself. */
const ended: WireError = { code: 'REPLICA_CRASHED', message: 'It ended without a word.' }
const overdue: WireError = { code: 'REPLICA_CRASHED', message: 'Another request did not let go of it.' }

/** What a worker is started with. */
export type WorkerStart = Omit<StartMessage, 'kind' | 'lockName'> & { readonly moduleUrl: string }

/**
 * Keeps a worker alive that answers requests. Those in flight at a death of the worker run again, one at a time and
 * with nothing beside them, so that one that meets a second death is itself the reason: it fails.
 */
export class Supervisor {
  readonly #inFlight = new Map<number, LocalCall>()
  /** What the worker has not let go of, though nobody waits for it. */
  readonly #abandoned = new Set<number>()
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>()
  /** To be sent; those who met a death go first. */
  #suspects: LocalCall[] = []
  #waiting: LocalCall[] = []
  #start: WorkerStart | null = null
  #link: WorkerLink | null = null
  #isAlone = false
  #disposed: { readonly error: unknown } | null = null
  #nextId = 1

  /** Sends a request as soon as it may go; `start` is what a new worker begins with. */
  answer(call: LocalCall, start: WorkerStart): void {
    if (this.#disposed) {
      call.fail(this.#disposed.error)
      return
    }
    const { signal } = call.request
    const left = (): void => this.#left(call)
    signal.addEventListener('abort', left, { once: true })
    call.reply.then(
      ({ body }) => body instanceof ReadableStream || signal.removeEventListener('abort', left),
      () => signal.removeEventListener('abort', left),
    )
    this.#start = start
    this.#waiting.push(call)
    this.#pump()
  }

  /** Lets the worker forget artifacts that it keeps in memory alone. */
  clear(): void {
    this.#link?.post({ kind: 'clear' })
  }

  /** Ends the worker and all that waits for it. */
  dispose(error: unknown): void {
    this.#disposed = { error }
    const calls = [...this.#end(), ...this.#suspects.splice(0), ...this.#waiting.splice(0)]
    for (const call of calls) call.fail(error)
  }

  /** Whether the worker has nothing in hand but streams, which may last for long. */
  get #isIdle(): boolean {
    return this.#abandoned.size === 0 && [...this.#inFlight.values()].every(({ isStreaming }) => isStreaming)
  }

  #pump(): void {
    if (this.#isAlone) return
    if (this.#suspects.length === 0) {
      for (const call of this.#waiting.splice(0)) this.#send(call)
      return
    }
    if (!this.#isIdle) return
    const suspect = this.#suspects.shift()
    if (!suspect) return
    this.#isAlone = true
    this.#send(suspect)
  }

  #send(call: LocalCall): void {
    const id = this.#nextId++
    this.#inFlight.set(id, call)
    this.#watch(id, comingUpMs)
    try {
      const link = this.#link ?? this.#startWorker()
      link.post({ ...call.message, id, alone: this.#isAlone })
    } catch (cause) {
      call.fail(notStarted(cause))
      this.#letGo(id)
    }
  }

  #startWorker(): WorkerLink {
    if (!this.#start) throw new TypeError('There is no worker to start.')
    const { moduleUrl, ...start } = this.#start
    const link: WorkerLink = new WorkerLink(moduleUrl, start, {
      message: (message) => this.#receive(message),
      died: (wasUp) => (wasUp ? this.#replace(ended) : this.#failAll()),
    })
    this.#link = link
    return link
  }

  #receive(message: HostMessage): void {
    if (message.kind === 'lost') {
      this.#replace(message.error)
      return
    }
    if (message.kind === 'up') return
    const { id } = message
    const call = this.#inFlight.get(id)
    if (!call) {
      if (isLast(message)) this.#letGo(id)
      return
    }
    if (message.kind === 'progress') {
      this.#watch(id, comingUpMs)
      call.request.onProgress(message.progress)
    } else if (message.kind === 'ready') {
      call.repeatable = message.idempotent
      this.#watch(id, call.timeoutMs)
    } else if (message.kind === 'refusal' && message.error.code === 'DEVICE_LOST') {
      this.#replace(message.error)
    } else {
      if (message.kind === 'refusal') call.fail(fromWire(message.error, call.request.requestId))
      else {
        call.receive(message, {
          giveCredit: (bytes) => this.#link?.post({ kind: 'credit', id, bytes }),
          cancelled: () => this.#abandon(id, call.timeoutMs),
        })
      }
      if (isLast(message)) this.#letGo(id)
      else if (message.kind === 'stream') this.#startStream(id)
    }
  }

  /** The worker has done with a request. */
  #letGo(id: number): void {
    this.#unwatch(id)
    this.#inFlight.delete(id)
    this.#abandoned.delete(id)
    this.#goOn()
  }

  /** A stream has begun: its time counts no more, and others need not wait for its end. */
  #startStream(id: number): void {
    this.#unwatch(id)
    this.#goOn()
  }

  #goOn(): void {
    if (this.#isIdle) this.#isAlone = false
    this.#pump()
  }

  /** Ends a request if nothing is heard of it for so long. */
  #watch(id: number, limitMs: number): void {
    this.#unwatch(id)
    this.#timers.set(
      id,
      setTimeout(() => {
        const call = this.#inFlight.get(id)
        const { name } = call?.message ?? {}
        call?.fail(new IsoplexError('DEADLINE_EXCEEDED', `"${name}" gave no answer within ${limitMs} ms.`))
        this.#abandon(id, overdueGraceMs)
      }, limitMs),
    )
  }

  #unwatch(id: number): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
  }

  /** A caller has gone. */
  #left(call: LocalCall): void {
    call.fail(call.request.signal.reason)
    this.#suspects = this.#suspects.filter((other) => other !== call)
    this.#waiting = this.#waiting.filter((other) => other !== call)
    for (const [id, other] of this.#inFlight) if (other === call) this.#abandon(id, call.timeoutMs)
  }

  /** Tells the worker that nobody waits for a request; where it does not let go of it, it is replaced. */
  #abandon(id: number, graceMs: number): void {
    if (!this.#inFlight.delete(id)) return
    this.#abandoned.add(id)
    this.#unwatch(id)
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#abandoned.delete(id)
        this.#waiting.unshift(...this.#end().filter((call) => mayRepeat(call, overdue)))
        this.#pump()
      }, graceMs),
    )
    this.#link?.post({ kind: 'cancel', id })
  }

  /** Replaces a worker that died, or can compute no longer; what was in flight runs again where it may. */
  #replace(why: WireError): void {
    for (const call of this.#end()) {
      call.deaths += 1
      if (mayRepeat(call, why)) this.#suspects.push(call)
    }
    this.#pump()
  }

  /** The worker did not come up, and neither would the next. */
  #failAll(): void {
    for (const call of this.#end()) call.fail(notStarted())
    this.#pump()
  }

  /** Ends the worker; gives back what it had in flight. */
  #end(): LocalCall[] {
    this.#link?.terminate()
    this.#link = null
    this.#isAlone = false
    const calls = [...this.#inFlight.values()]
    this.#inFlight.clear()
    this.#abandoned.clear()
    for (const id of this.#timers.keys()) this.#unwatch(id)
    return calls
  }
}

function isLast({ kind }: HostMessage): boolean {
  return kind === 'reply' || kind === 'refusal' || kind === 'end'
}

/** Whether a request may run again in another worker; where it may not, it fails. */
function mayRepeat(call: LocalCall, { code, message, details }: WireError): boolean {
  const { deaths, isStreaming, repeatable, request } = call
  const mayRun = repeatable && !isStreaming
  if (deaths < 2 && mayRun) return true
  let why = `It was tried ${deaths} times`
  if (!repeatable) why = 'It is not to be run twice'
  if (isStreaming) why = 'A stream that has begun cannot be run again'
  const said = `The page's worker had to be replaced while "${request.name}" ran. ${why}. ${message}`
  // What has begun may have run, which no other code says.
  const wire = mayRun ? { code, message: said, details } : { code: 'REPLICA_CRASHED' as const, message: said }
  call.fail(fromWire(wire, request.requestId))
  return false
}

function notStarted(cause?: unknown): unknown {
  return new IsoplexError('FETCH_FAILED', "The page's worker could not be started from its module.", {
    details: { reason: 'connection' },
    cause,
  })
}
