import { LRUCache } from 'lru-cache'
import type { ErrorCode } from '../error/codes.ts'
import { isIsoplexError } from '../error/error.ts'

/** How long answers hold. */
export interface AnswerCacheOptions {
  /** How long a good answer is not asked for again, in milliseconds. @default 30000 */
  readonly foundMs?: number
  /** How long a refusal holds, in milliseconds. @default 5000 */
  readonly refusedMs?: number
  /** How long one who does not answer is left in peace, in milliseconds. @default 1000 */
  readonly unavailableMs?: number
  /** The most answers remembered; the least recently used goes first. @default 10000 */
  readonly maxAnswers?: number
  /** Questions that are asked side by side; further ones wait. @default 32 */
  readonly maxQuestions?: number
  /** A clock in milliseconds that never goes back. @default performance.now */
  readonly now?: () => number
}

/** Asks a question, or remembers the answer. Questions with the same key are the same question. */
export type AnswerCache<Question, Answer> = (key: string, question: Question) => Promise<Answer>

type Outcome<Answer> = { readonly answer: Promise<Answer> }

/** Answers that refuse for good reason and may be remembered; anything else is asked again at once. */
const lastingCodes: ReadonlySet<ErrorCode> = new Set([
  'TOKEN_INVALID',
  'MODEL_NOT_FOUND',
  'MODEL_FORBIDDEN',
  'ARTIFACT_BROKEN',
  'BACKEND_BROKEN',
])

/**
 * Remembers what somebody slow has answered, one question per key at a time however many ask. A refusal is
 * remembered for a short while, so that a wrong question costs little when it is asked in a loop.
 */
export function createAnswerCache<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  options: AnswerCacheOptions = {},
): AnswerCache<Question, Answer> {
  const { foundMs = 30_000, refusedMs = 5_000, unavailableMs = 1_000 } = options
  const { maxAnswers = 10_000, maxQuestions = 32, now = () => performance.now() } = options
  const answers = new LRUCache<string, Outcome<Answer>>({ max: maxAnswers, perf: { now }, ttlResolution: 0 })
  const open = new Map<string, Promise<Answer>>()
  const gate = createGate(maxQuestions)

  const holdingMs = (error: unknown): number => {
    if (!isIsoplexError(error)) return 0
    if (error.code === 'BACKEND_UNAVAILABLE') return unavailableMs
    return lastingCodes.has(error.code) ? refusedMs : 0
  }

  const askNow = async (key: string, question: Question): Promise<Answer> => {
    try {
      const answer = await gate(() => ask(question))
      answers.set(key, { answer: Promise.resolve(answer) }, { ttl: foundMs })
      return answer
    } catch (error) {
      const ttl = holdingMs(error)
      if (ttl > 0) answers.set(key, { answer: refusal(error) }, { ttl })
      throw error
    } finally {
      open.delete(key)
    }
  }

  return (key, question) => {
    const known = answers.get(key)
    if (known) return known.answer
    const pending = open.get(key) ?? askNow(key, question)
    open.set(key, pending)
    return pending
  }
}

/** A rejection that is there before anybody waits for it. */
function refusal(error: unknown): Promise<never> {
  const rejected = Promise.reject(error)
  rejected.catch(() => undefined)
  return rejected
}

/** Lets a number of tasks run side by side and the others wait for their turn, first come first served. */
function createGate(width: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    // A task that ends hands its place to the next, so that none that comes meanwhile slips in between.
    if (running < width) running += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
