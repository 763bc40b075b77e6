/** A well-behaved server of one file, which counts what it is asked. */
export interface ArtifactServer extends AsyncDisposable {
  readonly url: string
  /** What it offers; it may be replaced at any time. */
  content: Uint8Array
  /** The entity tag, in quotes; `null` for none. */
  etag: string | null
  /** Of each request: the status of its answer, and the bytes of the range that it sent. */
  readonly answers: string[]
  /** The headers of each request. */
  readonly asked: Headers[]
  /** Lets go of the answers to come only once this has resolved. */
  gate: Promise<unknown>
}

/** Starts one on 127.0.0.1 that knows ranges and entity tags. */
export function startArtifactServer(content: Uint8Array, etag: string | null = '"1"'): ArtifactServer {
  const listener = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch({ headers }) {
      server.asked.push(headers)
      await server.gate
      return answer(server, headers)
    },
  })
  const server: ArtifactServer = {
    url: `http://127.0.0.1:${listener.port}`,
    content,
    etag,
    answers: [],
    asked: [],
    gate: Promise.resolve(),
    [Symbol.asyncDispose]: () => listener.stop(true),
  }
  return server
}

function answer({ answers, content, etag }: ArtifactServer, asked: Headers): Response {
  const headers: Record<string, string> = etag === null ? {} : { etag }
  if (etag !== null && asked.get('if-none-match') === etag) {
    answers.push('304')
    return new Response(null, { status: 304, headers })
  }
  const first = Number(/^bytes=(\d+)-$/.exec(asked.get('range') ?? '')?.[1] ?? 0)
  if (first === 0 || asked.get('if-range') !== etag) {
    answers.push('200')
    return new Response(content, { headers })
  }
  answers.push(`206 ${first}-`)
  headers['content-range'] = `bytes ${first}-${content.length - 1}/${content.length}`
  return new Response(content.slice(first), { status: 206, headers })
}
