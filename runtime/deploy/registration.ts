import type { BackendHeaders } from '../config/config.ts'
import type { ServeApplication, ServeApplicationId } from '../define/deployment-facts.ts'
import { createStyleMemory, headersOf } from '../model/synapse-headers.ts'
import { readJson } from '../network/json-reply.ts'
import { fetchFailed } from '../network/refusal.ts'
import { requestWhole, type WholeReply } from '../network/whole-reply.ts'
import { replyError } from './remote-error.ts'

/** Where an application is registered, and for whom. */
export interface RegistrationPlace {
  /** The backend's URL, without a slash at its end. */
  readonly backendUrl: string
  /** Never to be logged. */
  readonly accessToken: string
  readonly tenant: string | null
  /** Which headers carry the access token. */
  readonly backendHeaders: BackendHeaders
  /** The job that has deployed it, as the backend knows it. */
  readonly jobId: string
  /** The name of the deployment action. */
  readonly action: string
  /** @default 15000 */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 15_000
const maxReplyBytes = 1_048_576

/** By these a backend says that a body is not the one that it takes. */
const refusals: ReadonlySet<number> = new Set([400, 422])

/**
 * Registers a deployed application at a Synapse backend, by `POST serve_applications/`, and gives the id that the backend
 * gives it. Clients of Synapse know two bodies, and a backend takes one or both of them:
 *
 * - B, `{ name, plugin_release, action, params, num_replicas }`, is what their request model lets through; it needs the
 *   number of the plugin's release,
 * - A, `{ job, status, data }`, is what their deployment action means to send.
 *
 * B goes first where the release's number is known, else A is the only one; where the backend refuses the first body with
 * 400 or 422, the other one is sent if it can be made. Each is sent once: a reply that is lost may have registered it. An
 * access token that is refused in one form of the headers is tried in the other, as `backendHeaders` has it.
 *
 * @throws {IsoplexError} the code that the backend's refusal stands for; `URL_REFUSED`, `FETCH_FAILED`.
 */
export async function registerServeApplication(
  application: ServeApplication,
  place: RegistrationPlace,
): Promise<ServeApplicationId> {
  const bodies = bodiesOf(application, place)
  const post = createPost(place)
  const replies: WholeReply[] = []
  for (const body of bodies) {
    const reply = await post(body)
    replies.push(reply)
    if (!refusals.has(reply.status)) break
  }
  // A backend that takes neither is told of by what it says of the first.
  const reply = replies.findLast(({ status }) => !refusals.has(status)) ?? replies[0]
  if (!reply) throw new TypeError('There is nothing to send.')
  if (reply.status >= 300) throw replyError(reply)
  return readId(reply)
}

function bodiesOf(
  { name, status, params, replicas, pluginRelease, data }: ServeApplication,
  { jobId, action }: RegistrationPlace,
): readonly string[] {
  // By its name the backend knows it again: on the cluster each version has one of its own.
  const meant = JSON.stringify({ job: toId(jobId), status, data: { ...data, name } })
  if (pluginRelease === null) return [meant]
  const modelled = { name, plugin_release: pluginRelease, action, params, num_replicas: replicas }
  return [JSON.stringify(modelled), meant]
}

/** A Synapse backend counts its jobs; the embedded registry takes any text. */
function toId(jobId: string): string | number {
  return /^(?:0|[1-9]\d{0,14})$/.test(jobId) ? Number(jobId) : jobId
}

function createPost(place: RegistrationPlace): (body: string) => Promise<WholeReply> {
  const { backendUrl, backendHeaders, timeoutMs = defaultTimeoutMs, signal } = place
  const styles = createStyleMemory(backendHeaders, Date.now)
  const url = `${backendUrl.replace(/\/+$/, '')}/serve_applications/`
  const policy = { origins: [URL.parse(url)?.origin ?? ''], hosts: [] }
  const send = (body: string, style: 'authorization' | 'access-token'): Promise<WholeReply> =>
    requestWhole({
      url,
      method: 'POST',
      headers: { ...headersOf(style, place), 'content-type': 'application/json' },
      body,
      policy,
      timeoutMs,
      maxRedirects: 0,
      maxBytes: maxReplyBytes,
      ...(signal && { signal }),
    })
  return async (body) => {
    const first = styles.first()
    const reply = await send(body, first)
    if (reply.status !== 401 && reply.status !== 403) {
      styles.taken(first)
      return reply
    }
    const second = styles.second()
    if (second === null) return reply
    const again = await send(body, second)
    if (again.status === 401 || again.status === 403) return reply
    styles.taken(second)
    return again
  }
}

function readId({ bytes }: WholeReply): ServeApplicationId {
  const answer = readJson(bytes)
  const value = answer.kind === 'json' ? answer.value : null
  if (typeof value === 'object' && value !== null && 'id' in value) {
    const { id } = value
    if (typeof id === 'number' || (typeof id === 'string' && id !== '')) return id
  }
  throw fetchFailed('content', 'The backend has taken the application, and does not say under which id.')
}
