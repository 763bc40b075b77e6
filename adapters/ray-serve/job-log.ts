import type { ClusterJobStatus } from '../../runtime/deploy/job-cluster.ts'

/** How the log of a job is followed. */
export interface JobLogOptions {
  /** The address of its WebSocket. */
  readonly url: string
  readonly status: () => Promise<ClusterJobStatus>
  /** The whole log, as far as there is one. */
  readonly whole: () => Promise<string>
  readonly signal: AbortSignal | undefined
}

/** Bun's, whose options the types of the browser do not have. */
const PlainSocket = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => WebSocket

const pauseMs = 500
/** A connection on which nothing comes for so long is given up: it may be dead, or the job have nothing to say. */
const silenceMs = 20_000

/**
 * Follows a log to its end, piece by piece. Ray tells it from the beginning on each connection: what has come already is
 * left out. What its connection lacks at the end, since it was cut off, comes of the whole log.
 *
 * @throws {IsoplexError} `CLUSTER_UNREACHABLE`, and whatever `status` and `whole` throw
 */
export async function* tailLog(options: JobLogOptions): AsyncGenerator<string, void> {
  const { url, status, whole, signal } = options
  let told = 0
  for (;;) {
    let seen = 0
    for await (const piece of readSocket(url, signal)) {
      const fresh = piece.slice(Math.max(0, told - seen))
      seen += piece.length
      if (fresh === '') continue
      told += fresh.length
      yield fresh
    }
    signal?.throwIfAborted()
    const { state } = await status()
    if (state !== 'pending' && state !== 'running') break
    await Bun.sleep(pauseMs)
  }
  const rest = (await whole()).slice(told)
  if (rest !== '') yield rest
}

/** What one connection brings until it ends, in whatever way. */
async function* readSocket(url: string, signal: AbortSignal | undefined): AsyncGenerator<string, void> {
  const pieces: string[] = []
  let news = Promise.withResolvers<void>()
  let ended = false
  // Ray's dashboard hands the offer of compression on, and then cannot read what it has brought about.
  const socket = new PlainSocket(url, { perMessageDeflate: false })
  const end = (): void => {
    ended = true
    news.resolve()
  }
  let timer = setTimeout(end, silenceMs)
  socket.addEventListener('message', ({ data }) => {
    pieces.push(String(data))
    clearTimeout(timer)
    timer = setTimeout(end, silenceMs)
    news.resolve()
  })
  socket.addEventListener('close', end)
  socket.addEventListener('error', end)
  signal?.addEventListener('abort', end)
  try {
    for (;;) {
      await news.promise
      news = Promise.withResolvers<void>()
      yield* pieces.splice(0)
      if (ended && pieces.length === 0) return
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
    socket.close()
  }
}
