import type { Elysia } from 'elysia'
import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import { routeNotFound } from './reply.ts'

/** Answers a request. */
export type Answering = (request: Request) => Response | Promise<Response>

/** Answers a request with an error before anybody has read its body. */
export type Refuse = (request: Request, error: AnyIsoplexError) => Response

/** The bodies are read by nobody but our own handlers, and with limits. */
const unparsed = { parse: 'none' } as const

/**
 * The paths of an app. The best path for a request answers it, whatever its method: one that the path does not
 * take is refused there, and goes to no other path that would take it.
 */
export class Routes {
  readonly #app: Elysia
  readonly #refuse: Refuse
  readonly #methodsInUse: ReadonlySet<string>

  /** @param methodsInUse every method that a path of the app takes */
  constructor(app: Elysia, refuse: Refuse, methodsInUse: Iterable<string>) {
    this.#app = app
    this.#refuse = refuse
    this.#methodsInUse = new Set(methodsInUse)
  }

  /** Adds a path that takes some methods. `HEAD` is answered where `GET` is, and `OPTIONS` is told which there are. */
  add(path: string, methods: readonly string[], answer: Answering): void {
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
    const otherwise: Answering = (request) => {
      if (request.method === 'OPTIONS')
        return new Response(null, { status: 204, headers: { allow: allow.join(', ') } })
      const message = `${request.method} is not answered here; ${methods.join(' or ')} is.`
      return this.#refuse(request, new IsoplexError('METHOD_NOT_ALLOWED', message, { details: { allow } }))
    }
    this.#put(path, (method) => (methods.includes(method) ? answer : otherwise), otherwise)
  }

  /** Adds a path at which there is nothing. */
  addNothing(path: string): void {
    const nothing: Answering = (request) => this.#refuse(request, routeNotFound(request))
    this.#put(path, () => nothing, nothing)
  }

  /** Elysia prefers any path of the request's own method to a better path of all methods, so each is put in. */
  #put(path: string, answerTo: (method: string) => Answering, otherwise: Answering): void {
    for (const method of this.#methodsInUse) {
      const answer = answerTo(method)
      this.#app.route(method, path, ({ request }) => answer(request), unparsed)
    }
    this.#app.all(path, ({ request }) => otherwise(request), unparsed)
  }
}
