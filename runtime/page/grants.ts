import { IsoplexError } from '../error/error.ts'
import { askKept } from './kept-answer.ts'
import type { PageModel, PagePart, PageParts } from './model.ts'

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
  /** The model that a function which calls asks for. @default whichever the token says */
  readonly askedModel?: string
  /** The graph in whose name the function is called: it may have models that the token does not name. @default none */
  readonly graph?: string
}

interface Answer {
  readonly parts: Promise<readonly PagePart[]>
  untilMs: number
}

/** Asks servers which model answers a token, and for the links to their artifacts. */
export class Grants {
  readonly #answers = new Map<string, Answer>()

  /**
   * The model that answers, asked for once however many wait, and then again once the answer is half a minute old or
   * its link is about to end. Without a network the last answer of an earlier time counts. A function that a graph
   * calls gets what the server grants the graph; any other no more than its token, or its own default, gives.
   *
   * @throws {IsoplexError} whatever the server refuses the token with, such as `TOKEN_INVALID` or `MODEL_FORBIDDEN`,
   * which is also for a model that is asked for and not granted; `FETCH_FAILED` where it does not answer.
   */
  async ask(question: GrantQuestion): Promise<PageModel> {
    const { name, graph, askedModel = null } = question
    if (graph !== undefined) {
      const parts = await this.#partsOf({ ...question, name: graph })
      const part = parts.find((part) => part.function === name && part.asked === askedModel)
      if (part) return part.model
    }
    const [part] = await this.#partsOf(question)
    if (!part) throw namesNone(question)
    if (askedModel !== null) assertAsked(askedModel, part.model)
    return part.model
  }

  /** Forgets an answer: its link is not taken any more. */
  forget(question: GrantQuestion): void {
    const { name, graph = name } = question
    for (const asked of [name, graph]) this.#answers.delete(keyOf({ ...question, name: asked }))
  }

  #partsOf(question: GrantQuestion): Promise<readonly PagePart[]> {
    const key = keyOf(question)
    const known = this.#answers.get(key)
    return known && Date.now() < known.untilMs ? known.parts : this.#fetch(key, question)
  }

  #fetch(key: string, question: GrantQuestion): Answer['parts'] {
    const answer: Answer = { parts: fetchGrant(question), untilMs: Number.POSITIVE_INFINITY }
    this.#answers.delete(key)
    this.#answers.set(key, answer)
    const [oldest] = this.#answers.keys()
    if (oldest !== undefined && this.#answers.size > mostAnswers) this.#answers.delete(oldest)
    answer.parts.then(
      (parts) => {
        const endsMs = parts.map(({ model }) => model.expiresAtMs - marginMs)
        answer.untilMs = Math.min(Date.now() + freshMs, ...endsMs)
      },
      () => {
        if (this.#answers.get(key) === answer) this.#answers.delete(key)
      },
    )
    return answer.parts
  }
}

function keyOf({ baseUrl, name, token, stickyKey }: GrantQuestion): string {
  return JSON.stringify([baseUrl, name, token, stickyKey])
}

/** The models that a server grants: of a graph those of its functions, of a function the one. */
async function fetchGrant(question: GrantQuestion): Promise<readonly PagePart[]> {
  const { baseUrl, name, token, stickyKey } = question
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
  if (isPageModel(answer)) return [{ function: name, asked: null, model: answer }]
  const { parts } = (answer ?? {}) as Partial<PageParts>
  if (Array.isArray(parts) && parts.every(isPagePart)) return parts
  throw namesNone(question)
}

function namesNone({ baseUrl, name }: GrantQuestion): IsoplexError<'BACKEND_BROKEN'> {
  const { host } = new URL(baseUrl)
  return new IsoplexError('BACKEND_BROKEN', `What "${host}" answers for "${name}" names no model.`)
}

/** Holds a model to the one that is asked for: outside of a graph a page holds no more rights than its token. */
function assertAsked(asked: string, { id, version }: PageModel): void {
  if (asked === id || asked === `${id}@${version}`) return
  const message = `In a page the token decides which model answers, so the model ${asked} cannot be asked for; call it on the server.`
  throw new IsoplexError('MODEL_FORBIDDEN', message, { details: { model: asked } })
}

/** What stands for a token and a key outside of memory; `null` where the page may not hash, and so keeps nothing. */
async function digestOf(text: string): Promise<string | null> {
  if (!crypto.subtle) return null
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function isPagePart(value: Partial<PagePart> | null): boolean {
  const { function: name, asked, model } = value ?? {}
  return typeof name === 'string' && (asked === null || typeof asked === 'string') && isPageModel(model)
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
