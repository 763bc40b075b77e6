import { IsoplexError } from '../error/error.ts'
import { fromProblem } from '../error/wire.ts'

/** Where a server is controlled: by its control socket, or over HTTP with an access token that may administer. */
export type ControlPlace =
  | { readonly socketPath: string }
  | { readonly url: string; readonly accessToken: string | null }

/** A request for a path that a server is controlled by. */
export interface ControlRequest {
  readonly method?: string
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** How such a path is asked. What the server refuses is thrown. */
export type Ask = (path: string, request?: ControlRequest) => Promise<Response>

// Bun gives up after five minutes otherwise, which a large model may take.
const untimed: object = Object.freeze({ timeout: false })

/**
 * Asks a server that is controlled at a place, however long it takes to answer.
 *
 * @throws {IsoplexError} what the server refuses with; `FETCH_FAILED` where it does not answer as one of ours.
 */
export function createAsk(place: ControlPlace): Ask {
  const base = 'socketPath' in place ? 'http://localhost' : place.url.replace(/\/+$/, '')
  const own = 'socketPath' in place ? {} : bearing(place.accessToken)
  return async (path, { method = 'GET', json, headers = {} } = {}) => {
    const reply = await exchange(`${base}${path}`, {
      ...('socketPath' in place ? { unix: place.socketPath } : {}),
      method,
      // An access token goes to this server only.
      redirect: 'manual',
      headers: { ...headers, ...own, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...untimed,
    })
    if (reply.ok) return reply
    const problem: unknown = await reply.json().catch(() => null)
    throw fromProblem(problem, reply.headers.get('x-request-id')) ?? strange(reply.status)
  }
}

/** Whether a server answers at a place. */
export async function isControlled(socketPath: string): Promise<boolean> {
  return createAsk({ socketPath })('/-/tenants').then(
    () => true,
    () => false,
  )
}

function bearing(accessToken: string | null): Readonly<Record<string, string>> {
  return accessToken === null ? {} : { authorization: `Bearer ${accessToken}` }
}

async function exchange(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    const message = `There is no connection to ${new URL(url).origin}; is the server running?`
    throw new IsoplexError('FETCH_FAILED', message, { details: { reason: 'connection' }, cause })
  }
}

function strange(status: number): IsoplexError<'FETCH_FAILED'> {
  const message = `What answers is no isoplex server: it answered ${status} without a problem document.`
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'status', status } })
}
