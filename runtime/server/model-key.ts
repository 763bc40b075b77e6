import { createHash } from 'node:crypto'
import type { FunctionManifest } from '../build/manifest.ts'
import type { ModelRecord } from '../model/backend.ts'
import { type AppOptions, createApp } from './app.ts'
import {
  type Authorizer,
  askerOfPart,
  askingOf,
  authenticate,
  functionOfPart,
  stickyHeader,
} from './authorization.ts'
import type { ExchangeOptions, ServedFunction } from './exchange.ts'
import type { Asking } from './model-access.ts'
import { jsonReply, problemReply, requestIdOf } from './reply.ts'
import type { Answering } from './routes.ts'
import type { SystemRoute } from './system-route.ts'

/** What whoever brings requests to replicas is told of one. */
export interface ModelKeyReply {
  /** The function that the path leads to. */
  readonly function: string
  /**
   * What the request needs loaded: equal for requests that one loaded model serves, free of anything secret, so that it
   * may be logged; `null` where the function has no model.
   */
  readonly key: string | null
  /** Whether the request may run a second time where it is not known how the first run ended. */
  readonly idempotent: boolean
  /** The most bytes that its body may have. */
  readonly maxBodyBytes: number
}

const methodHeader = 'x-forwarded-method'
const pathHeader = 'x-forwarded-uri'

/**
 * Adds `POST /-/model-key` to an app: the headers of a request for a function, with its method and path in
 * `X-Forwarded-Method` and `X-Forwarded-Uri` as proxies send them to whom they ask, are answered with a
 * {@link ModelKeyReply}, or with what the request is to be answered where it leads to no function or its token is not
 * good. Of the model nothing is downloaded.
 */
export function withModelKeys(options: AppOptions): AppOptions {
  const answering = (served: ServedFunction): Answering => createKeyAnswer(served, options.exchange)
  const keys = createApp({ ...options, systemRoutes: [], submissions: null, answering })
  const route: SystemRoute = {
    path: '/-/model-key',
    handlers: {
      async POST({ request }) {
        const { headers, url } = request
        const path = headers.get(pathHeader) ?? ''
        const origin = url.slice(0, url.indexOf('/', 'https://'.length))
        return await keys.fetch(
          new Request(origin + (path.startsWith('/') ? path : '/'), {
            method: headers.get(methodHeader) ?? 'GET',
            headers,
          }),
        )
      },
    },
  }
  return { ...options, systemRoutes: [...options.systemRoutes, route] }
}

function createKeyAnswer(
  { manifest }: ServedFunction,
  { authorizer, bodyLimits }: ExchangeOptions,
): Answering {
  const { name, idempotent, maxBodyBytes = bodyLimits.maxBytes } = manifest
  return async ({ headers }) => {
    try {
      const key = await keyOf(headers, manifest, authorizer)
      return jsonReply({ function: name, key, idempotent, maxBodyBytes } satisfies ModelKeyReply)
    } catch (error) {
      return problemReply(error, requestIdOf(headers), false)
    }
  }
}

async function keyOf(headers: Headers, fn: FunctionManifest, authorizer: Authorizer): Promise<string | null> {
  const asking = await authenticate(headers, fn, authorizer)
  if (fn.graph && fn.graph.models.length > 0) {
    const { credentials } = asking
    const keys = fn.graph.models.map((part) => {
      const asker = askerOfPart({ credentials, modelId: null }, part)
      return keyOfAsking(headers, askingOf(asker, functionOfPart(part), authorizer), authorizer)
    })
    return (await Promise.all(keys)).join('+')
  }
  return await keyOfAsking(headers, asking, authorizer)
}

async function keyOfAsking(
  headers: Headers,
  asking: Asking | Pick<Asking, 'credentials'>,
  { models }: Authorizer,
): Promise<string | null> {
  if ('modelId' in asking) return toKey(await models.describe(asking, headers.get(stickyHeader)))
  if (asking.credentials) await models.confirm(asking.credentials)
  return null
}

/** A link to an artifact differs from caller to caller; what lies behind it does not. */
function toKey({ id, version, artifact }: ModelRecord): string {
  const { digest, checksum, stamp } = artifact
  const content = createHash('sha256').update(JSON.stringify([id, version, digest ?? checksum ?? stamp]))
  return `${encodeURIComponent(id)}@${encodeURIComponent(version ?? '')}~${content.digest('hex').slice(0, 16)}`
}
