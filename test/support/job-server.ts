import type { JobEvent, JobEventKind } from '../../runtime/job/event.ts'
import { isEnded, type Job, type JobProgress } from '../../runtime/job/job.ts'
import { sampleJob } from '../job/sample-job.ts'

/** A job whose course a test decides. */
export interface TestJob {
  readonly id: string
  readonly job: Job
  /** Changes what is told of it. */
  change(facts: Partial<Job>): void
  /** Tells an event, to who follows already and who comes later. */
  tell(kind: JobEventKind, data: Readonly<Record<string, unknown>>): void
  /** Tells progress, and changes the job's own by it. */
  advance(progress: Partial<JobProgress>): void
  /** Keeps a file. */
  keep(name: string, mediaType: string, content: string | Uint8Array<ArrayBuffer>): void
  /** Ends it. Several values are lines. */
  end(
    facts: Partial<Job>,
    result?: { readonly value: unknown } | { readonly lines: readonly unknown[] },
  ): void
}

/** The part of a server that is about jobs, without any work behind it: it speaks as a server does, and a test directs it. */
export interface JobDesk {
  /** Answers what is about jobs; `null` for all else. */
  answer(request: Request): Promise<Response | null>
  readonly jobs: ReadonlyMap<string, TestJob>
  /** Requests about jobs so far. */
  readonly requests: readonly Request[]
  /** Adds a job that was not submitted. */
  add(facts?: Partial<Job>): TestJob
  /** Ends the connections of all who follow, before the end of their jobs. */
  cutOff(): void
  /** Hears of each job that is submitted, at a route of an action. */
  onSubmit: (job: TestJob, body: string) => void
  /** Without this token nobody sees jobs. @default null, which is none */
  token: string | null
  /** The paths at which actions are. */
  readonly routes: Map<string, string>
}

interface DeskJob extends TestJob {
  readonly events: JobEvent[]
  readonly files: Map<string, Blob>
  result: Response | null
  heard: PromiseWithResolvers<void>
}

/** Makes one without jobs. */
export function createJobDesk(): JobDesk {
  const jobs = new Map<string, DeskJob>()
  const keys = new Map<string, string>()
  const requests: Request[] = []
  const routes = new Map<string, string>()
  let cut = new AbortController()
  const desk: JobDesk = {
    jobs,
    requests,
    routes,
    onSubmit: () => undefined,
    token: null,
    add(facts = {}) {
      const made = makeJob(jobs.size + 1, facts)
      jobs.set(made.id, made)
      return made
    },
    cutOff() {
      cut.abort()
      cut = new AbortController()
    },
    async answer(request) {
      const { pathname, searchParams } = new URL(request.url)
      const action = routes.get(pathname)
      if (action !== undefined && request.method === 'POST') {
        requests.push(request)
        return await submit(action, request)
      }
      const [, id, rest = ''] = /^\/-\/jobs(?:\/([^/]+)(\/.*)?)?$/.exec(pathname) ?? []
      if (!pathname.startsWith('/-/jobs')) return null
      requests.push(request)
      if (desk.token !== null && request.headers.get('serve_multiplexed_model_id') !== desk.token)
        return strangerReply()
      if (id === undefined) return listReply([...jobs.values()].toReversed(), searchParams)
      const found = jobs.get(id)
      return found ? reply(found, rest, request) : problem('JOB_NOT_FOUND', 404, `There is no job ${id}.`)
    },
  }
  const submit = async (action: string, request: Request): Promise<Response> => {
    const body = await request.text()
    const key = request.headers.get('idempotency-key') ?? crypto.randomUUID()
    const known = jobs.get(keys.get(key) ?? '')
    const job = known ?? desk.add({ function: action })
    keys.set(key, job.id)
    if (!known) setTimeout(() => desk.onSubmit(job, body))
    return acceptedReply(job, known !== undefined)
  }
  const reply = (job: DeskJob, rest: string, { method, headers }: Request): Response => {
    if (method === 'DELETE') {
      job.change({ cancelRequested: true })
      return Response.json(job.job, { status: 202 })
    }
    if (rest === '') return Response.json(job.job)
    if (rest === '/events') return eventsReply(job, Number(headers.get('last-event-id') ?? 0), cut.signal)
    if (rest === '/result') return job.result?.clone() ?? problem('JOB_UNFINISHED', 409, 'It goes on.')
    const file = job.files.get(decodeURIComponent(rest.replace('/files/', '')))
    return file ? new Response(file) : problem('JOB_ENDED', 409, 'There is no such file.')
  }
  return desk
}

function makeJob(count: number, facts: Partial<Job>): DeskJob {
  const id = `job_${String(count).padStart(26, '0')}`
  const blank = { id, function: 'work', principal: 'anonymous', createdMs: Date.now() }
  let job: Job = sampleJob({ ...blank, ...facts })
  const events: JobEvent[] = []
  const files = new Map<string, Blob>()
  const made: DeskJob = {
    id,
    events,
    files,
    result: null,
    heard: Promise.withResolvers(),
    get job() {
      return job
    },
    change(changes) {
      job = { ...job, ...changes }
    },
    tell(kind, data) {
      events.push({ seq: events.length + 1, atMs: Date.now(), kind, data })
      wake(made)
    },
    advance(progress) {
      const whole = { ...job.progress, ...progress }
      made.change({ state: 'running', progress: whole })
      made.tell('progress', { ...whole })
    },
    keep(name, mediaType, content) {
      const file = new Blob([content], { type: mediaType })
      files.set(name, file)
      made.change({ files: [...job.files, { name, mediaType, bytes: file.size }] })
      made.tell('file', { name, mediaType, bytes: file.size })
    },
    end(changes, result) {
      const lines = result && 'lines' in result ? result.lines : null
      const text = lines ? lines.map((line) => `${JSON.stringify(line)}\n`).join('') : null
      const mediaType = lines ? 'application/x-ndjson' : 'application/json'
      if (result) {
        const bytes = text ?? JSON.stringify('value' in result ? result.value : null)
        made.result = new Response(bytes, { headers: { 'content-type': mediaType } })
        const form = lines ? 'lines' : 'value'
        const count = lines?.length ?? 1
        made.change({ result: { form, mediaType, bytes: bytes.length, count } })
      }
      made.change({ endedMs: Date.now(), ...changes })
      made.tell('state', { state: job.state, attempt: job.attempt, error: job.error })
    },
  }
  return made
}

function wake(job: DeskJob): void {
  const { heard } = job
  job.heard = Promise.withResolvers()
  heard.resolve()
}

function listReply(jobs: readonly TestJob[], search: URLSearchParams): Response {
  const state = search.get('state')
  const before = search.get('before')
  const listed = jobs
    .map(({ job }) => job)
    .filter((job) => (state === null || job.state === state) && (before === null || job.id < before))
  return Response.json({ jobs: listed.slice(0, Number(search.get('limit') ?? 100)) })
}

/** The events after a number, then those that come, then `end`. */
function eventsReply(job: DeskJob, after: number, cut: AbortSignal): Response {
  const encoder = new TextEncoder()
  const frames = async function* (): AsyncGenerator<Uint8Array, void> {
    yield encoder.encode('retry: 1000\n\n')
    for (let sent = after; ; ) {
      const { heard } = job
      for (const { seq, atMs, kind, data } of job.events.slice(sent)) {
        sent = seq
        yield encoder.encode(
          `id: ${seq}\nevent: ${kind}\ndata: ${JSON.stringify({ seq, atMs, kind, data })}\n\n`,
        )
      }
      if (sent === job.events.length && isEnded(job.job.state)) break
      if (sent === job.events.length) await heard.promise
    }
    yield encoder.encode(`event: end\ndata: ${JSON.stringify({ kind: 'end', data: job.job })}\n\n`)
  }
  const left = frames()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      cut.addEventListener('abort', () => {
        try {
          controller.close()
        } catch {
          // It has ended already.
        }
      }),
    async pull(controller) {
      const { done, value } = await left.next()
      if (cut.aborted) return
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}

function acceptedReply({ id, job }: TestJob, isReplayed: boolean): Response {
  const headers = { location: `/-/jobs/${id}`, 'idempotency-replayed': String(isReplayed) }
  return Response.json(job, { status: 202, headers })
}

function strangerReply(): Response {
  return problem('TOKEN_MISSING', 401, 'Jobs are shown to whom a token stands for.')
}

function problem(code: string, status: number, detail: string): Response {
  const headers = { 'content-type': 'application/problem+json' }
  return Response.json({ type: 'about:blank', title: code, status, detail, code }, { status, headers })
}
