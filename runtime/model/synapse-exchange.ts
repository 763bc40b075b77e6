import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { type OutboundResponse, request } from '../network/outbound.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import { retryAfterMsOf } from './reply-range.ts'
import { backendBroken } from './synapse-record.ts'

/** A question to a backend: a GET, which may be asked again. */
export interface SynapseQuestion {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly policy: OutboundPolicy
  /** Time in which the answer must be there, all tries included. */
  readonly timeoutMs: number
}

/** The answer of a backend that can be relied on. */
export interface SynapseAnswer {
  readonly status: 200 | 401 | 403 | 404
  /** The body of a 200; empty otherwise. */
  readonly text: string
}

const mostTries = 3
const firstDelayMs = 200
const mostAnswerBytes = 1_048_576
const defaultRetryMs = 1_000
const busyStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** A try that may go better the next time, and how long the backend wishes to be left alone. */
interface Busy {
  readonly waitMs: number | null
  readonly cause: unknown
}

/**
 * Asks a backend. Where it is not reached, or too busy, it is asked again within the time: three times in all, and
 * never sooner than it wishes.
 *
 * @throws {IsoplexError} `BACKEND_UNAVAILABLE`, `BACKEND_BROKEN`.
 */
export async function askSynapse(question: SynapseQuestion): Promise<SynapseAnswer> {
  const endsAtMs = Date.now() + question.timeoutMs
  for (let tries = 1; ; tries += 1) {
    const answer = await attempt(question, endsAtMs - Date.now())
    if ('status' in answer) return answer
    const waitMs = answer.waitMs ?? firstDelayMs * 2 ** (tries - 1) * (0.5 + Math.random())
    if (tries === mostTries || Date.now() + waitMs >= endsAtMs) throw unavailable(answer)
    await Bun.sleep(waitMs)
  }
}

async function attempt(question: SynapseQuestion, leftMs: number): Promise<SynapseAnswer | Busy> {
  const { url, headers, policy } = question
  const signal = AbortSignal.timeout(Math.max(1, leftMs))
  try {
    // An access token goes to no other place than the one that the operator has named.
    const reply = await request({
      url,
      headers,
      policy,
      timeoutMs: question.timeoutMs,
      maxRedirects: 0,
      signal,
    })
    try {
      return await judge(reply)
    } finally {
      reply.cancel()
    }
  } catch (error) {
    if (isIsoplexError(error) && error.code === 'BACKEND_BROKEN') throw error
    if (isIsoplexError(error) && error.code === 'FETCH_FAILED' && error.details.reason === 'encoding') {
      throw backendBroken('The model backend compresses its answers, although it is asked not to.', error)
    }
    if (isIsoplexError(error) && error.code === 'URL_REFUSED') {
      throw backendBroken(
        'The model backend redirects, or its URL may not be asked; name the URL that answers by itself.',
        error,
      )
    }
    return { waitMs: null, cause: error }
  }
}

async function judge(reply: OutboundResponse): Promise<SynapseAnswer | Busy> {
  const { status, headers } = reply
  if (status === 401 || status === 403 || status === 404) return { status, text: '' }
  if (status === 200) return { status, text: await readText(reply) }
  const cause = backendBroken(
    `The model backend answers ${status}, which is no answer to a question for a model.`,
  )
  if (busyStatuses.has(status)) return { waitMs: retryAfterMsOf(headers, Date.now()), cause }
  throw cause
}

async function readText({ body }: OutboundResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > mostAnswerBytes) {
      throw backendBroken(`The model backend answers with more than ${mostAnswerBytes} bytes for one model.`)
    }
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function unavailable({ waitMs, cause }: Busy): IsoplexError<'BACKEND_UNAVAILABLE'> {
  const message = 'The model backend cannot be reached, or is too busy; try again later.'
  return new IsoplexError('BACKEND_UNAVAILABLE', message, {
    details: { retryAfterMs: waitMs ?? defaultRetryMs },
    cause,
  })
}
