import { LRUCache } from 'lru-cache'
import { isIsoplexError } from '../error/error.ts'
import type { ResolvedModel } from '../replica/deployment.ts'
import type { ResolveModel } from './authorization.ts'

/** How long answers of the backend hold. */
export interface ResolutionCacheOptions {
  /** How long a model that was found is not asked for again, in milliseconds. @default 30000 */
  readonly foundMs?: number
  /** How long a refusal holds, in milliseconds. @default 5000 */
  readonly refusedMs?: number
  /** The most answers remembered; the least recently used goes first. @default 10000 */
  readonly maxAnswers?: number
  /** Questions that the backend is asked side by side; further ones wait. @default 32 */
  readonly maxQuestions?: number
  /** A clock in milliseconds that never goes back. @default performance.now */
  readonly now?: () => number
}

type Outcome = { readonly model: ResolvedModel } | { readonly refusal: unknown }

/** Answers that refuse for good reason and may be remembered; anything else is asked again at once. */
const lastingCodes: ReadonlySet<string> = new Set(['MODEL_NOT_FOUND', 'MODEL_FORBIDDEN', 'ARTIFACT_BROKEN'])

/**
 * Remembers what a backend said of models, one question per model at a time however many ask. A refusal is
 * remembered for a short while, so that a wrong id costs the backend nothing when it is asked in a loop.
 */
export function createResolutionCache(
  resolve: ResolveModel,
  options: ResolutionCacheOptions = {},
): ResolveModel {
  const { foundMs = 30_000, refusedMs = 5_000, maxAnswers = 10_000, maxQuestions = 32 } = options
  const { now = () => performance.now() } = options
  const answers = new LRUCache<string, Outcome>({ max: maxAnswers, perf: { now }, ttlResolution: 0 })
  const open = new Map<string, Promise<ResolvedModel>>()
  const gate = createGate(maxQuestions)

  const ask = async (key: string, modelId: string, tenant: string | null): Promise<ResolvedModel> => {
    try {
      const model = await gate(() => resolve(modelId, tenant))
      answers.set(key, { model }, { ttl: foundMs })
      return model
    } catch (error) {
      if (isIsoplexError(error) && lastingCodes.has(error.code))
        answers.set(key, { refusal: error }, { ttl: refusedMs })
      throw error
    } finally {
      open.delete(key)
    }
  }

  return (modelId, tenant) => {
    const key = JSON.stringify([modelId, tenant])
    const known = answers.get(key)
    if (known) return 'model' in known ? Promise.resolve(known.model) : Promise.reject(known.refusal)
    const pending = open.get(key) ?? ask(key, modelId, tenant)
    open.set(key, pending)
    return pending
  }
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
