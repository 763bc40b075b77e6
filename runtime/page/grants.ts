import { IsoplexError } from '../error/error.ts'
import { askKept } from './kept-answer.ts'
import type { PageModel } from './model.ts'

/** How long an answer counts, as on a server. */
const freshMs = 30_000
/** An answer is not used that close to the end of its link: a download needs a moment to begin. */
const marginMs = 5_000
const mostAnswers = 64

/** Who asks for the model of which function. */
export interface GrantQuestion {
  readonly baseUrl: string
  readonly name: string
  /** The model token; `null` for none. */
  readonly token: string | null
  /** Where several versions of the model share the requests, equal keys get the same one; `null` for none. */
  readonly stickyKey: string | null
}

interface Answer {
  readonly model: Promise<PageModel>
  untilMs: number
}

/** Asks servers which model answers a token, and for the links to their artifacts. */
export class Grants {
  readonly #answers = new Map<string, Answer>()

  /**
   * The model of a token, asked once however many wait, and then again once the answer is half a minute old or its
   * link is about to end. Without a network the last answer of an earlier time counts.
   *
   * @throws {IsoplexError} whatever the server refuses the token with, such as `TOKEN_INVALID` or `MODEL_FORBIDDEN`;
   * `FETCH_FAILED` where it does not answer.
   */
  ask(question: GrantQuestion): Promise<PageModel> {
    const key = keyOf(question)
    const known = this.#answers.get(key)
    if (known && Date.now() < known.untilMs) return known.model
    return this.#fetch(key, question)
  }

  /** Forgets an answer: its link is not taken any more. */
  forget(question: GrantQuestion): void {
    this.#answers.delete(keyOf(question))
  }

  #fetch(key: string, question: GrantQuestion): Promise<PageModel> {
    const answer: Answer = { model: fetchGrant(question), untilMs: Number.POSITIVE_INFINITY }
    this.#answers.delete(key)
    this.#answers.set(key, answer)
    const [oldest] = this.#answers.keys()
    if (oldest !== undefined && this.#answers.size > mostAnswers) this.#answers.delete(oldest)
    answer.model.then(
      ({ expiresAtMs }) => {
        answer.untilMs = Math.min(Date.now() + freshMs, expiresAtMs - marginMs)
      },
      () => {
        if (this.#answers.get(key) === answer) this.#answers.delete(key)
      },
    )
    return answer.model
  }
}

function keyOf({ baseUrl, name, token, stickyKey }: GrantQuestion): string {
  return JSON.stringify([baseUrl, name, token, stickyKey])
}

async function fetchGrant({ baseUrl, name, token, stickyKey }: GrantQuestion): Promise<PageModel> {
  const url = `${baseUrl.replace(/\/+$/, '')}/-/grants/${encodeURIComponent(name)}`
  const asker = await digestOf(JSON.stringify([token, stickyKey]))
  const answer = await askKept({
    url,
    headers: {
      ...(token === null ? {} : { serve_multiplexed_model_id: token }),
      ...(stickyKey === null ? {} : { 'x-sticky-key': stickyKey }),
    },
    ...(asker === null ? {} : { asker }),
  })
  if (isPageModel(answer)) return answer
  throw new IsoplexError(
    'BACKEND_BROKEN',
    `What "${new URL(url).host}" answers for "${name}" names no model.`,
  )
}

/** What stands for a token and a key outside of memory; `null` where the page may not hash, and so keeps nothing. */
async function digestOf(text: string): Promise<string | null> {
  if (!crypto.subtle) return null
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function isPageModel(value: unknown): value is PageModel {
  if (typeof value !== 'object' || value === null) return false
  const { key, id, version, fields, digest, sizeBytes, url, expiresAtMs } = value as Partial<PageModel>
  return (
    [key, id, version, digest, url].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(sizeBytes) &&
    Number.isFinite(expiresAtMs) &&
    url?.startsWith('/') === true &&
    /^[0-9a-f]{64}$/.test(digest ?? '') &&
    typeof fields === 'object' &&
    fields !== null
  )
}
