import { createServeMultiplexedModelId } from '../auth/synapse-token.ts'
import { IsoplexError } from '../error/error.ts'
import { readJson } from '../network/json-reply.ts'
import { fetchFailed } from '../network/refusal.ts'
import { requestWhole } from '../network/whole-reply.ts'
import { replyError } from './remote-error.ts'

/** A call of an inference function on another server, as `infer_remote` of the Synapse SDK makes it. */
export interface RemoteInference {
  /** Where the server is, such as `http://localhost:8100`. */
  readonly address: string
  /** What the routes of the plugin begin with, without a slash at its end; empty for none. */
  readonly routePrefix: string
  /** The function's path below the prefix. @default '/', as the SDK has it */
  readonly path?: string
  /** `model`, `method` and `json`; whatever else they hold counts for nothing. */
  readonly params: Readonly<Record<string, unknown>>
  /** The backend's URL: the key by which the model token is signed. Needed where `params` name a model. */
  readonly backendUrl: string | null
  /** The caller's access token to the backend, which the model token carries. Never to be logged. */
  readonly accessToken: string | null
  readonly tenant: string | null
  /** @default 60000 */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 60_000
const maxReplyBytes = 268_435_456

/**
 * Calls an inference function where it is deployed: `{address}{prefix}/` with `params.json` as the body, by
 * `params.method` or POST. Where `params.model` is there, the header `serve_multiplexed_model_id` carries a token for it.
 * Unlike the SDK it ends by a time limit, names the tenant, sends no body with GET, and follows no redirect, since it may
 * carry a token.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where something for the token is missing; the code that the server's status or
 * problem document stands for; `URL_REFUSED`, `FETCH_FAILED`.
 */
export async function inferRemote(call: RemoteInference): Promise<unknown> {
  const { address, routePrefix, path = '/', params, timeoutMs = defaultTimeoutMs, signal } = call
  const origin = URL.parse(address)?.origin ?? ''
  const method = methodOf(params)
  const body = method === 'GET' || method === 'HEAD' ? null : JSON.stringify(params.json ?? {})
  const reply = await requestWhole({
    url: `${address.replace(/\/+$/, '')}${routePrefix}${path}`,
    method,
    headers: {
      accept: 'application/json',
      ...(await tokenHeader(call)),
      ...(body !== null && {
        'content-type': 'application/json',
        // Without it node:http sends no body with DELETE.
        'content-length': String(Buffer.byteLength(body)),
      }),
    },
    ...(body !== null && { body }),
    policy: { origins: [origin], hosts: [] },
    timeoutMs,
    maxRedirects: 0,
    maxBytes: maxReplyBytes,
    ...(signal && { signal }),
  })
  if (reply.status >= 300) throw replyError(reply)
  if (reply.status === 204) return null
  const answer = readJson(reply.bytes)
  if (answer.kind === 'json') return answer.value
  const what = answer.kind === 'html' ? 'sends a page for people' : answer.why
  throw fetchFailed('content', `The server answers ${reply.status}, and ${what}; it was asked for JSON.`)
}

function methodOf({ method = 'post' }: Readonly<Record<string, unknown>>): string {
  if (typeof method === 'string' && /^[a-z]{1,20}$/i.test(method)) return method.toUpperCase()
  throw invalid('"method" in the parameters must be the name of an HTTP method, such as "post".')
}

async function tokenHeader(call: RemoteInference): Promise<Readonly<Record<string, string>>> {
  const { params, backendUrl, accessToken, tenant } = call
  const { model } = params
  if (model === undefined || model === null) return {}
  const isId = typeof model === 'string' ? model !== '' : Number.isSafeInteger(model)
  if (!isId) throw invalid('"model" in the parameters must be the id of a model.')
  if (!backendUrl) {
    throw invalid('A model token needs the URL of the backend; set SYNAPSE_HOST or SYNAPSE_PLUGIN_RUN_HOST.')
  }
  const token = await createServeMultiplexedModelId({
    modelId: model as string | number,
    token: accessToken ?? '',
    backendUrl,
    tenant,
  })
  return { serve_multiplexed_model_id: token }
}

function invalid(message: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', message)
}
