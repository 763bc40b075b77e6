import type { FunctionManifest } from '../build/manifest.ts'
import { matchPattern } from '../route/match.ts'
import { parseRoute } from '../route/pattern.ts'
import type { RequestHead } from '../runner/head.ts'
import { connectionHeaders } from './function-reply.ts'

/** Headers that functions do not see: those of the connection, and those that carry credentials. */
const withheldHeaders: ReadonlySet<string> = new Set([
  ...connectionHeaders,
  'authorization',
  'proxy-authorization',
  'cookie',
  'synapse-access-token',
  'synapse-agent',
  'serve_multiplexed_model_id',
  'serve-multiplexed-model-id',
])

/** Reads off a request all that a runner is told beside the body. */
export type HeadReader = (request: Request, requestId: string, principal: string) => RequestHead

/** Makes the reader of the requests for a function. @param routePrefix the prefix of all routes; empty for none */
export function createHeadReader(manifest: FunctionManifest, routePrefix: string): HeadReader {
  const pattern = parseRoute(manifest.route, manifest.file)
  const parametersOf = (url: string): Readonly<Record<string, string>> => {
    if (pattern.parameters.length === 0) return noParameters
    const pathname = url.slice(routePrefix.length).split('?', 1)[0] ?? ''
    return matchPattern(pattern, pathname) ?? noParameters
  }
  return ({ headers, method, url: whole }, requestId, principal) => {
    const url = whole.slice(whole.indexOf('/', 'https://'.length))
    return {
      requestId,
      principal,
      method,
      url,
      params: parametersOf(url),
      contentType: headers.get('content-type'),
      accept: headers.get('accept'),
      // An inference function computes on its input; copying every header to it would be work for nothing.
      headers: manifest.kind === 'function' ? visibleHeaders(headers) : noHeaders,
    }
  }
}

const noParameters: RequestHead['params'] = Object.freeze({})
const noHeaders: RequestHead['headers'] = Object.freeze([])

function visibleHeaders(headers: Headers): (readonly [string, string])[] {
  const visible: [string, string][] = []
  for (const header of headers) if (!withheldHeaders.has(header[0])) visible.push(header)
  return visible
}
