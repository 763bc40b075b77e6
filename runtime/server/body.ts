import { IsoplexError } from '../error/error.ts'
import { DeadlineLine, type Timed } from '../replica/deadline-line.ts'
import { GrowingBytes } from './growing-bytes.ts'

/** Bodies up to this size that name their length are read in one step, which is cheaper than piece by piece. */
const smallBodyBytes = 64 * 1024
/**
 * So are bodies up to this size, as long as there is plenty of room: their memory is taken before they have come, and a
 * client who only announces much must not keep others out.
 */
const mediumBodyBytes = 1024 * 1024

/** What bounds the reading of a body. */
export interface BodyLimits {
  /** The largest body, in bytes. */
  readonly maxBytes: number
  /** How long the whole body may take to arrive, in milliseconds. */
  readonly timeoutMs: number
}

/** A body that is on its way. */
export interface Upload extends Timed {
  /** Ends the wait for it: its time is up. */
  expire(): void
}

/** Memory for bodies that are on their way or being worked on, shared by all requests of a gateway. */
export class BodyBudget {
  readonly limitBytes: number
  #usedBytes = 0
  /** Uploads by the time that they may take: the limits of a server have few. */
  readonly #deadlines = new Map<number, DeadlineLine<Upload>>()

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  /** Bytes held now. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Holds bytes. @throws {IsoplexError} `QUEUE_FULL` where there is no room. */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.limitBytes) {
      throw new IsoplexError(
        'QUEUE_FULL',
        'The server holds as many request bodies as it may; try again soon.',
        {
          details: { retryAfterMs: 1_000 },
        },
      )
    }
    this.#usedBytes += bytes
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#usedBytes -= bytes
  }

  /** Whether less than half of the memory would be held with so many bytes more. */
  plentyFor(bytes: number): boolean {
    return this.#usedBytes + bytes < this.limitBytes / 2
  }

  /** The line of uploads that may take so long. */
  deadline(timeoutMs: number): DeadlineLine<Upload> {
    const known = this.#deadlines.get(timeoutMs)
    if (known) return known
    const line = new DeadlineLine<Upload>(timeoutMs, (upload) => upload.expire())
    this.#deadlines.set(timeoutMs, line)
    return line
  }
}

/**
 * Whether a body that nobody reads may be larger than a limit. Bun lets run in whatever is sent, so the connection
 * of such a request is better closed; that of a smaller one stays, for its sender to see the reply.
 */
export function mayExceed(headers: Headers, limitBytes: number): boolean {
  return headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > limitBytes
}

/** A body in memory. `release` gives its bytes back to the budget, once. */
export interface HeldBody {
  readonly bytes: Uint8Array<ArrayBuffer>
  release(): void
}

/**
 * Reads a body, counting the bytes as they come: what is beyond a limit is not read.
 *
 * @throws {IsoplexError} `BODY_TOO_LARGE`, `UPLOAD_TIMEOUT`, `QUEUE_FULL` where the budget is spent, `CANCELLED`
 * where the client left, `REQUEST_MALFORMED` where the body breaks the rules of HTTP.
 */
export function readBody(request: Request, limits: BodyLimits, budget: BodyBudget): Promise<HeldBody> {
  const length = Number(request.headers.get('content-length') ?? Number.NaN)
  if (length > limits.maxBytes) return Promise.reject(tooLarge(limits.maxBytes))
  if (length === 0) return Promise.resolve(noBody)
  const atOnce = length <= smallBodyBytes || (length <= mediumBodyBytes && budget.plentyFor(length))
  return atOnce ? readWhole(request, length, limits, budget) : readStream(request, length, limits, budget)
}

const noBody: HeldBody = Object.freeze({ bytes: new Uint8Array(), release: () => undefined })

/** The bytes that one request holds of the budget. */
class Holding implements HeldBody {
  readonly budget: BodyBudget
  bytes: Uint8Array<ArrayBuffer> = noBody.bytes
  #taken = 0

  constructor(budget: BodyBudget) {
    this.budget = budget
  }

  take(bytes: number): void {
    this.budget.take(bytes)
    this.#taken += bytes
  }

  release(): void {
    this.budget.give(this.#taken)
    this.#taken = 0
  }
}

/** Most bodies are such. To ask for the stream of a body makes it, so none is asked for. */
function readWhole(
  request: Request,
  length: number,
  { timeoutMs }: BodyLimits,
  budget: BodyBudget,
): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const held = new Holding(budget)
    held.take(length)
    const line = budget.deadline(timeoutMs)
    const fail = (error: unknown): void => {
      held.release()
      reject(readingError(error, request))
    }
    const upload = line.add({
      arrivedMs: performance.now(),
      expire: () => fail(uploadTimedOut(timeoutMs)),
    })
    request.arrayBuffer().then(
      (buffer) => {
        line.delete(upload)
        held.bytes = new Uint8Array(buffer)
        resolve(held)
      },
      (error: unknown) => {
        line.delete(upload)
        fail(error)
      },
    )
  })
}

async function readStream(
  request: Request,
  length: number,
  limits: BodyLimits,
  budget: BodyBudget,
): Promise<HeldBody> {
  if (!request.body) return noBody
  const held = new Holding(budget)
  try {
    held.bytes = await readParts(request.body, length, limits, held)
    return held
  } catch (error) {
    held.release()
    throw readingError(error, request)
  }
}

/** @param length the announced one; `NaN` where the body comes in chunks. */
async function readParts(
  body: ReadableStream<Uint8Array>,
  length: number,
  { maxBytes, timeoutMs }: BodyLimits,
  held: Holding,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader()
  const collected = new GrowingBytes(length || maxBytes)
  let overdue = false
  const leave = (): void => void reader.cancel().catch(() => undefined)
  const line = held.budget.deadline(timeoutMs)
  const upload = line.add({
    arrivedMs: performance.now(),
    expire() {
      overdue = true
      leave()
    },
  })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (overdue) throw uploadTimedOut(timeoutMs)
      if (done) break
      if (collected.length + value.length > maxBytes) throw tooLarge(maxBytes)
      held.take(value.length)
      collected.add(value)
    }
    return collected.finish()
  } catch (error) {
    leave()
    throw error
  } finally {
    line.delete(upload)
  }
}

function readingError(error: unknown, request: Request): unknown {
  if (error instanceof IsoplexError) return error
  return request.signal.aborted
    ? new IsoplexError('CANCELLED', 'The client went away while it sent the body.')
    : new IsoplexError('REQUEST_MALFORMED', 'The body broke off, or is not framed as HTTP has it.', {
        cause: error,
      })
}

function tooLarge(limitBytes: number): IsoplexError<'BODY_TOO_LARGE'> {
  return new IsoplexError('BODY_TOO_LARGE', `The body is larger than the ${limitBytes} bytes taken here.`, {
    details: { limitBytes },
  })
}

function uploadTimedOut(timeoutMs: number): IsoplexError<'UPLOAD_TIMEOUT'> {
  return new IsoplexError('UPLOAD_TIMEOUT', `The body did not arrive within ${timeoutMs} ms.`)
}
