import { IsoplexError } from '../error/error.ts'
import type { RouteList } from '../page/route-list.ts'
import { senseless } from '../runner/reply-bytes.ts'
import { readReply } from '../runner/reply-value.ts'
import { baseUrlOf } from './address.ts'
import { makeCall } from './call.ts'
import { startDeadline } from './deadline.ts'
import type { AnyCall, CallOptions, ClientFacts, SubmitOptions } from './errand.ts'
import { freshId } from './fresh-id.ts'
import type { AnyRoutes, Client } from './handles.ts'
import { exchangeOnce, type Fetch } from './http-transport.ts'
import { createJobHandle, type JobHandle } from './job-handle.ts'
import { toJob } from './job-request.ts'
import { createJobs } from './jobs.ts'
import type { LocalEngine } from './local-engine.ts'
import { createRouteBook, toRouteList } from './route-book.ts'
import { createTokenSource, type TokenOption } from './token-source.ts'

/** What {@link createClient} takes. */
export interface ClientOptions {
  /** Where the server is. In a page it may be relative, as `/` is. */
  readonly baseUrl: string
  /**
   * The model token, or what gives one: that is asked once, and again when the token has expired.
   *
   * @default none
   */
  readonly token?: TokenOption | undefined
  /** What answers calls in this page. @default all calls go to the server */
  readonly local?: LocalEngine | undefined
  /** @default the platform's */
  readonly fetch?: Fetch | undefined
  /** How often a call is sent again where that may help. @default 3 */
  readonly retries?: number | undefined
  /** How long a call may take, in milliseconds, where it does not say so itself. @default as long as it takes */
  readonly timeoutMs?: number | undefined
  /** The most bytes of a reply, and of one item of a stream. @default 268435456 (256 MiB) */
  readonly maxReplyBytes?: number | undefined
}

const defaultRetries = 3
const defaultMaxReplyBytes = 256 * 1024 * 1024
const routesTimeoutMs = 30_000
/** The longest time that a timer can measure; a longer one would end at once. */
const longestMs = 2 ** 31 - 1

/**
 * Makes a client of an isoplex server: each of its functions by its name. Inference functions have `infer(input,
 * options)`, edge functions `call(options)`; both give `{ output, ran }`. Actions have `submit(params, options)`, which
 * gives the handle of a job.
 *
 * The client asks nothing before the first call. What fails is an `IsoplexError`, wherever it failed.
 *
 * @example
 * const client = createClient<Routes>({ baseUrl: 'http://localhost:3000', token })
 * const { output, ran } = await client.digits.infer({ pixels })
 * const { output: greeting } = await client['hello/[name]'].call({ params: { name: 'Ada' } })
 *
 * @throws {TypeError} where an option is outside its bounds.
 */
export function createClient<Routes = AnyRoutes>(options: ClientOptions): Client<Routes> {
  const client = factsOf(options)
  const handles = new Map<string, object>()
  const handleOf = (name: string): object => {
    const known = handles.get(name)
    if (known) return known
    const handle = Object.freeze({
      infer: (input: unknown, call: CallOptions = {}) => checkedCall(client, name, { ...call, input }),
      call: (call: AnyCall = {}) => checkedCall(client, name, call),
      submit: (input: unknown, options: SubmitOptions = {}) => submit(client, name, { ...options, input }),
      ...(name === 'jobs' ? createJobs(client) : {}),
    })
    handles.set(name, handle)
    return handle
  }
  const routes = (): Promise<RouteList> => client.routes.list()
  // What the server has is not known before it is asked, so any name is a function.
  return new Proxy(Object.freeze({}), {
    get: (_, name) => (typeof name === 'symbol' ? undefined : name === 'routes' ? routes : handleOf(name)),
  }) as Client<Routes>
}

async function submit(client: ClientFacts, name: string, call: AnyCall): Promise<JobHandle> {
  const { idempotencyKey = freshId() } = call
  const { output, ran } = await checkedCall(client, name, { ...call, idempotencyKey, where: 'server' })
  return createJobHandle(client, toJob(output, ran))
}

async function checkedCall(client: ClientFacts, name: string, call: AnyCall): ReturnType<typeof makeCall> {
  assertTime(call.timeoutMs)
  return makeCall(client, name, call)
}

function factsOf(options: ClientOptions): ClientFacts {
  const { token = null, local = null, retries = defaultRetries, timeoutMs } = options
  const { maxReplyBytes = defaultMaxReplyBytes, fetch = (url, init) => globalThis.fetch(url, init) } = options
  const baseUrl = baseUrlOf(options.baseUrl, globalThis.location?.href)
  assertTime(timeoutMs)
  assertWhole('retries', retries, 0)
  assertWhole('maxReplyBytes', maxReplyBytes, 1)
  const routes = createRouteBook(() => askRoutes(baseUrl, fetch, maxReplyBytes))
  const tokens = createTokenSource(token)
  return { baseUrl, fetch, local, tokens, routes, retries, timeoutMs, maxReplyBytes }
}

async function askRoutes(baseUrl: string, fetch: Fetch, maxBytes: number): Promise<RouteList> {
  const deadline = startDeadline(undefined, routesTimeoutMs)
  const reading = { requestId: '', signal: deadline.signal, maxBytes }
  const headers = { accept: 'application/json' }
  try {
    const request = { method: 'GET', url: `${baseUrl}/-/routes`, headers, body: null }
    const outcome = await exchangeOnce(fetch, request, reading, readReply)
    if ('error' in outcome) throw outcome.error
    return toRouteList(outcome.value.value)
  } catch (error) {
    if (deadline.signal.aborted) throw unlisted(baseUrl)
    throw error instanceof TypeError ? senseless('is no list of routes', reading, error) : error
  } finally {
    deadline.end()
  }
}

function unlisted(baseUrl: string): IsoplexError<'FETCH_FAILED'> {
  const message = `${baseUrl} has not listed its functions within ${routesTimeoutMs} ms.`
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'timeout' } })
}

function assertTime(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (timeoutMs > 0 && timeoutMs <= longestMs)) return
  throw new TypeError(`"timeoutMs" must be above 0 and at most ${longestMs}; got ${timeoutMs}.`)
}

function assertWhole(option: string, value: number, minimum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum) return
  throw new TypeError(`"${option}" must be a whole number from ${minimum}; got ${value}.`)
}
