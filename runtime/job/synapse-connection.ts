import type { BackendHeaders } from '../config/config.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { retryAfterMsOf } from '../model/reply-range.ts'
import { createStyleMemory, type HeaderStyle, headersOf, isHeaderText } from '../model/synapse-headers.ts'
import { requestWhole } from '../network/whole-reply.ts'
import type { SynapseParcel } from './synapse-outbox.ts'

/** A job of a Synapse backend that this process is run for. */
export interface SynapseJob {
  readonly id: string
  /** The backend's URL, without a slash at its end. */
  readonly url: string
  /** Never to be logged. */
  readonly accessToken: string
  readonly tenant: string | null
}

/** What became of a parcel. `waitMs` is how long the backend wishes to be left alone; `null` where it does not say. */
export type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'busy'; readonly waitMs: number | null; readonly reason: string }
  | { readonly kind: 'refused'; readonly status: number | null; readonly reason: string }

/** Brings parcels to a Synapse backend, one try each. Never throws. */
export type SynapseConnection = (parcel: SynapseParcel, signal: AbortSignal) => Promise<Delivery>

const timeoutMs = 15_000
const maxReplyBytes = 1_048_576
/** Those that the SDK's clients try again, and the one that asks for it by name. */
const busyStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * Finds the job that this process is run for: `SYNAPSE_JOB_ID`, with the backend in `SYNAPSE_PLUGIN_RUN_HOST` or
 * `SYNAPSE_HOST`, `SYNAPSE_ACCESS_TOKEN`, and `SYNAPSE_TENANT` where there is one. `null` where no job is named.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where a job is named and the rest will not do.
 */
export function findSynapseJob(environment: Readonly<Record<string, string | undefined>>): SynapseJob | null {
  const { SYNAPSE_JOB_ID: id, SYNAPSE_ACCESS_TOKEN: accessToken, SYNAPSE_TENANT: tenant } = environment
  if (!id) return null
  const url = environment.SYNAPSE_PLUGIN_RUN_HOST || environment.SYNAPSE_HOST
  if (!url || !accessToken) {
    throw invalid('it needs SYNAPSE_HOST or SYNAPSE_PLUGIN_RUN_HOST, and SYNAPSE_ACCESS_TOKEN, as well')
  }
  const { protocol, username, password } = URL.parse(url) ?? {}
  if (!/^https?:$/.test(protocol ?? '') || username || password) {
    throw invalid('the host must be an http or https URL without a password')
  }
  if (!isHeaderText(accessToken) || (tenant && !isHeaderText(tenant))) {
    throw invalid('SYNAPSE_ACCESS_TOKEN and SYNAPSE_TENANT must be lines of visible characters')
  }
  return { id, url: url.replace(/\/+$/, ''), accessToken, tenant: tenant || null }
}

function invalid(reason: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', `SYNAPSE_JOB_ID is set, but nothing is reported: ${reason}.`)
}

/** Connects to the backend of a job: to that place alone, and to no other that it may point to. */
export function connectSynapse(job: SynapseJob, style: BackendHeaders): SynapseConnection {
  const styles = createStyleMemory(style, () => Date.now())
  const policy = { origins: [new URL(job.url).origin], hosts: [] }
  const attempt = async (parcel: SynapseParcel, as: HeaderStyle, signal: AbortSignal): Promise<Delivery> => {
    const { path, method } = targetOf(parcel, job)
    const headers = { ...headersOf(as, job), 'content-type': 'application/json' }
    try {
      const { status, headers: replied } = await requestWhole({
        url: `${job.url}${path}`,
        method,
        headers,
        body: parcel.json,
        policy,
        timeoutMs,
        maxRedirects: 0,
        maxBytes: maxReplyBytes,
        signal,
      })
      return deliveryOf(status, replied)
    } catch (error) {
      return failureOf(error)
    }
  }
  return async (parcel, signal) => {
    const first = styles.first()
    const delivery = await attempt(parcel, first, signal)
    const second = isUnknown(delivery) ? styles.second() : null
    if (second === null) {
      if (delivery.kind === 'delivered') styles.taken(first)
      return delivery
    }
    const again = await attempt(parcel, second, signal)
    if (again.kind === 'delivered') styles.taken(second)
    return again
  }
}

function targetOf(
  { kind }: SynapseParcel,
  { id }: SynapseJob,
): { readonly path: string; readonly method: string } {
  return kind === 'logs'
    ? { path: '/logs/', method: 'POST' }
    : { path: `/jobs/${encodeURIComponent(id)}/`, method: 'PATCH' }
}

function deliveryOf(status: number, headers: Headers): Delivery {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `it answers with the status ${status}`
  return busyStatuses.has(status)
    ? { kind: 'busy', waitMs: retryAfterMsOf(headers, Date.now()), reason }
    : { kind: 'refused', status, reason }
}

/** A reply that cannot be read says nothing of what was sent, and it is sent again: the newest counts, or is seen twice. */
function failureOf(error: unknown): Delivery {
  if (isIsoplexError(error) && error.code === 'URL_REFUSED') {
    return { kind: 'refused', status: null, reason: error.message }
  }
  const reason = isIsoplexError(error) ? error.message : 'the connection was broken off'
  return { kind: 'busy', waitMs: null, reason }
}

function isUnknown(delivery: Delivery): boolean {
  return delivery.kind === 'refused' && (delivery.status === 401 || delivery.status === 403)
}
