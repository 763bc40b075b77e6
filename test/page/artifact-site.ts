import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { PageModel } from '../../runtime/page/model.ts'

/** What the site does with one request for an artifact; without it, what a good server does. */
export type SiteBehaviour =
  /** Announces all, sends the beginning, and then nothing more. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Sends other bytes in place of the right ones, as a whole file of its own. */
  | { readonly kind: 'other'; readonly bytes: Uint8Array }
  /** Answers with a problem. */
  | { readonly kind: 'problem'; readonly status: number; readonly code: string }
  /** Sends the whole, whatever range was asked for. */
  | { readonly kind: 'whole' }
  /** Sends a part that was not asked for. */
  | { readonly kind: 'shifted' }

/** What the site was asked for. */
export interface SiteRequest {
  readonly path: string
  readonly digest: string
  readonly range: string | null
  readonly condition: string | null
  readonly grant: string | null
}

/** A site with a page, a worker and artifacts. */
export interface ArtifactSite extends AsyncDisposable {
  readonly url: string
  readonly requests: SiteRequest[]
  /** Offers an artifact, and says what happens to the first requests for it. */
  offer(bytes: Uint8Array, ...behaviours: readonly SiteBehaviour[]): PageModel
  /** Links an artifact that is offered by another grant; grants that are not `good` are refused. */
  link(model: PageModel, grant: string): PageModel
  /** Closes the connections on which nothing comes. */
  cutOff(): void
  /** Stops to give artifacts, and gives them again; its page and worker it gives always. */
  goDown(): void
  comeBack(): void
}

interface Offered {
  readonly bytes: Uint8Array
  readonly behaviours: SiteBehaviour[]
}

const markup = '<!doctype html><title>A page</title>'

/** Starts a site on 127.0.0.1 whose worker is this script. */
export async function startArtifactSite(script: string): Promise<ArtifactSite> {
  const offered = new Map<string, Offered>()
  const requests: SiteRequest[] = []
  const stalled = new Set<ServerResponse>()
  let isDown = false
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/') return reply(response, 'text/html', markup)
    if (pathname === '/worker.js') return reply(response, 'text/javascript', script)
    const digest = pathname.split('/').at(-1) ?? ''
    const artifact = offered.get(digest)
    if (artifact === undefined) return void response.writeHead(204).end()
    if (isDown) return void request.socket.destroy()
    const { range = null, 'if-range': condition } = request.headers
    const grant = searchParams.get('grant')
    requests.push({
      path: pathname,
      digest,
      range,
      condition: condition === undefined ? null : String(condition),
      grant,
    })
    if (grant !== 'good') return refuse(response, 403, 'GRANT_INVALID')
    if (behave(request, response, artifact, `"${digest}"`)) stalled.add(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The site has no port.')
  const link: ArtifactSite['link'] = (model, grant) => ({
    ...model,
    url: `/-/registry/artifacts/${model.digest}?grant=${grant}`,
  })
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    link,
    offer(bytes, ...behaviours) {
      const digest = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
      offered.set(digest, { bytes, behaviours: [...behaviours] })
      const facts = { key: `k~${digest}`, id: 'model', version: '1', fields: {}, expiresAtMs: 0, url: '' }
      return link({ ...facts, digest, sizeBytes: bytes.length }, 'good')
    },
    cutOff() {
      for (const response of stalled) response.destroy()
      stalled.clear()
    },
    goDown() {
      isDown = true
    },
    comeBack() {
      isDown = false
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers, and gives whether there is more that never comes. */
function behave(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { bytes, behaviours }: Offered,
  etag: string,
): boolean {
  const behaviour = behaviours.shift()
  if (behaviour?.kind === 'problem') {
    refuse(response, behaviour.status, behaviour.code)
    return false
  }
  if (behaviour?.kind === 'other') {
    response.writeHead(200, { etag }).end(behaviour.bytes)
    return false
  }
  const asked = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
  const isPart = asked > 0 && headers['if-range'] === etag && behaviour?.kind !== 'whole'
  const start = (isPart ? asked : 0) + (behaviour?.kind === 'shifted' ? 1 : 0)
  const rest = bytes.subarray(start)
  const place = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    'content-length': rest.length,
    ...(start > 0 ? { 'content-range': place } : {}),
  })
  if (behaviour?.kind !== 'stall') response.end(rest)
  else response.write(rest.subarray(0, behaviour.afterBytes))
  return behaviour?.kind === 'stall'
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ code }))
}

function reply(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': type }).end(body)
}
