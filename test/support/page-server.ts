import { join, normalize } from 'node:path'

/** What a static server of pages has. */
export interface PageServerOptions {
  /** By path, such as `/index.html`: what is there. The media type goes by the ending. */
  readonly files?: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>
  /** A folder whose files are there besides. */
  readonly directory?: string
  /** Whether pages are cross-origin isolated, so that wasm may have threads. @default false */
  readonly isolated?: boolean
  /** Further headers of every reply. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A static server of pages, as anybody may have one. */
export interface PageServer extends AsyncDisposable {
  /** Without a slash at the end: an origin. */
  readonly url: string
  /** The path of every request, in their order. */
  readonly paths: readonly string[]
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

/** Starts one on a free port of 127.0.0.1. Files with a hash in their names are kept by browsers for good. */
export function startPageServer(options: PageServerOptions): PageServer {
  const paths: string[] = []
  const { isolated = false, headers = {} } = options
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch({ url }) {
      const { pathname } = new URL(url)
      paths.push(pathname)
      // Browsers ask for it unasked; a 404 would be an error in the console.
      if (pathname === '/favicon.ico') return new Response(null, { status: 204 })
      const body = await bodyOf(options, pathname.endsWith('/') ? `${pathname}index.html` : pathname)
      if (body === null) return new Response('There is nothing here.', { status: 404 })
      const shared = { ...(isolated ? isolation : {}), ...headers, 'cache-control': cachingOf(pathname) }
      return new Response(body, { headers: { 'content-type': Bun.file(nameOf(pathname)).type, ...shared } })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    paths,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

async function bodyOf(
  { files = {}, directory }: PageServerOptions,
  path: string,
): Promise<string | Uint8Array<ArrayBuffer> | Bun.BunFile | null> {
  const given = files[path]
  if (given !== undefined || directory === undefined) return given ?? null
  const file = Bun.file(join(directory, normalize(decodeURIComponent(path))))
  return (await file.exists()) ? file : null
}

/** The name whose ending says what is there. */
function nameOf(path: string): string {
  return path.endsWith('/') ? 'index.html' : path
}

function cachingOf(path: string): string {
  return /[-.][0-9A-Za-z_-]{8,}\.\w+$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
}
