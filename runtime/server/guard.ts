import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'

/** Whom a server answers, by the names that requests carry. */
export interface GuardOptions {
  /** Host names that requests may be addressed to, without port; `null` takes any. */
  readonly hosts: readonly string[] | null
  /** Origins whose pages may call although they are not one of the hosts; `*` takes any. */
  readonly origins: readonly string[]
}

/** The names of a machine's own loopback. */
export const loopbackNames: readonly string[] = Object.freeze(['localhost', '127.0.0.1', '[::1]'])

/** Whether an address to listen on is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Makes the check against pages of other sites: a name that somebody else's DNS points to this machine
 * (rebinding), and requests that a browser sends on behalf of a foreign page. It gives the refusal, or `null`.
 */
export function createGuard({ hosts, origins }: GuardOptions): (request: Request) => AnyIsoplexError | null {
  if (hosts === null) return () => null
  return ({ headers }) => {
    const host = headers.get('host')
    if (host !== null && !hosts.includes(nameOf(host))) {
      return refusal(`This server does not answer to the name ${host.slice(0, 128)}; add it to allowedHosts.`)
    }
    const origin = headers.get('origin')
    if (origin === null || origins.includes('*') || origins.includes(origin)) return null
    if (URL.canParse(origin) && hosts.includes(new URL(origin).hostname)) return null
    return refusal(
      `Pages of ${origin.slice(0, 128)} may not call this server; add the origin to corsOrigins.`,
    )
  }
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase()
}

function refusal(message: string): AnyIsoplexError {
  return new IsoplexError('ORIGIN_REFUSED', message)
}
