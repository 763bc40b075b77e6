/** A request as the backend got it. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly json: ReturnType<typeof JSON.parse>
}

/** A Synapse backend that records what it is told of jobs, and answers as it is told to. */
export interface RecordingBackend extends Disposable {
  readonly url: string
  /** Everything that came, refused requests included. */
  readonly received: readonly Received[]
  /** What was taken: entries of the log one by one, and the patches of the job laid over each other. */
  readonly logs: readonly ReturnType<typeof JSON.parse>[]
  readonly job: ReturnType<typeof JSON.parse>
  /** Answers the next requests so; then it takes them again. */
  answerNext(...answers: readonly (() => Response)[]): void
  /** Answers every request so from now on; `null` takes them again. */
  answerAll(answer: (() => Response | Promise<Response>) | null): void
}

/** Starts a backend on a loopback address. */
export function startRecordingBackend(port = 0): RecordingBackend {
  const received: Received[] = []
  const logs: unknown[] = []
  const job: Record<string, unknown> = {}
  const next: (() => Response)[] = []
  let always: (() => Response | Promise<Response>) | null = null
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    async fetch(request) {
      const json = await request.json()
      const path = new URL(request.url).pathname
      received.push({ method: request.method, path, headers: request.headers, json })
      const answer = next.shift() ?? always
      if (answer) return answer()
      if (path === '/logs/') logs.push(...(Array.isArray(json) ? json : [json]))
      else Object.assign(job, json)
      return Response.json(json, { status: request.method === 'POST' ? 201 : 200 })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    received,
    logs,
    job,
    answerNext: (...answers) => void next.push(...answers),
    answerAll: (answer) => {
      always = answer
    },
    [Symbol.dispose]: () => void server.stop(true),
  }
}

/** Answers with a status and nothing else. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): () => Response {
  return () => new Response('{}', { status: code, headers })
}
