import type { FunctionLog } from '../../define/context.ts'
import { type JobListDocument, toJobDocument } from '../../job/document.ts'
import { isEnded } from '../../job/job.ts'
import type { JobService } from '../../job/service.ts'
import type { JobContent, JobQuery, Viewer } from '../../job/store.ts'
import { linesMediaType } from '../admin/progress-reply.ts'
import { namesMediaType } from '../media-type.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler, SystemRoute } from '../system-route.ts'
import { Audience } from './audience.ts'
import { contentReply, type ReadPiece } from './content-reply.ts'
import { openEventStream } from './event-stream.ts'
import { eventLines, isLogged, jsonLine, logLine, serverSentEvents } from './event-text.ts'
import { openLogStream, type ReadEvents } from './log-stream.ts'
import { assertMayList, type Identify } from './onlooker.ts'
import { readWait } from './preference.ts'
import { assertFileName, assertJobId, readAfter, readJobQuery } from './query.ts'
import { streamHead } from './stream-head.ts'

/** What jobs are shown and cancelled with. */
export interface JobRoutesOptions {
  readonly jobs: Omit<JobService, 'submit'>
  /** Finds out who sends a request. */
  readonly identify: Identify
  /** Fires when the server is about to stop: then nobody is kept waiting. */
  readonly stopping: AbortSignal
  readonly log: FunctionLog
  /** After how long a silence whoever watches a job is sent something, in milliseconds. @default 15000 */
  readonly heartbeatMs?: number
}

/**
 * The jobs over HTTP, below `/-/jobs`. A job is seen by whoever submitted it and by the operator; for everybody else
 * there is none of that id.
 */
export function createJobRoutes(options: JobRoutesOptions): readonly SystemRoute[] {
  return [
    { path: '/-/jobs', handlers: { GET: createListing(options) } },
    { path: '/-/jobs/:id', handlers: { GET: createShowing(options), DELETE: createCancelling(options) } },
    { path: '/-/jobs/:id/events', handlers: { GET: createWatching(options) } },
    { path: '/-/jobs/:id/logs', handlers: { GET: createLogReading(options) } },
    { path: '/-/jobs/:id/result', handlers: { GET: createResultReading(options) } },
    { path: '/-/jobs/:id/files/:name', handlers: { GET: createFileReading(options) } },
  ]
}

const usualHeartbeatMs = 15_000
/** What a browser is to make of a stream: text, and nothing to keep. */
const streamHeaders = Object.freeze({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })

function createListing({ jobs, identify }: JobRoutesOptions): SystemHandler {
  return async ({ request }) => {
    const onlooker = await identify(request)
    assertMayList(onlooker)
    const url = new URL(request.url)
    const query: JobQuery = { ...readJobQuery(url), viewer: onlooker.viewer }
    const found = await jobs.list(query)
    const last = found.length < query.limit ? undefined : found.at(-1)
    if (last) url.searchParams.set('before', last.id)
    const list: JobListDocument = {
      jobs: found.map(toJobDocument),
      links: { next: last ? url.pathname + url.search : null },
    }
    return jsonReply(list)
  }
}

function createShowing({ jobs, identify, stopping }: JobRoutesOptions): SystemHandler {
  return async ({ request, parameters: [id] }) => {
    const { viewer } = await identify(request)
    const waitSeconds = readWait(request.headers)
    const job = await jobs.get(assertJobId(id), viewer)
    if (waitSeconds === null) return jsonReply(toJobDocument(job))
    using audience = new Audience([request.signal, stopping])
    const wait = { timeoutMs: waitSeconds * 1_000, signal: audience.signal }
    const reply = jsonReply(toJobDocument(await jobs.wait(job.id, viewer, wait)))
    reply.headers.set('preference-applied', `wait=${waitSeconds}`)
    return reply
  }
}

/** A job that is asked to end is answered with 202, one that has ended with 200, however often that is asked. */
function createCancelling({ jobs, identify }: JobRoutesOptions): SystemHandler {
  return async ({ request, parameters: [id] }) => {
    const { viewer } = await identify(request)
    const job = await jobs.cancel(assertJobId(id), viewer)
    return jsonReply(toJobDocument(job), isEnded(job.state) ? 200 : 202)
  }
}

function createWatching(options: JobRoutesOptions): SystemHandler {
  const { jobs, identify, stopping, log, heartbeatMs = usualHeartbeatMs } = options
  return async ({ request, parameters }) => {
    const { viewer, stillSees } = await identify(request)
    const afterSeq = readAfter(request)
    const { id } = await jobs.get(assertJobId(parameters[0]), viewer)
    const format = takesLines(request) ? eventLines : serverSentEvents
    const headers = { ...streamHeaders, 'content-type': format.mediaType }
    if (request.method === 'HEAD') return streamHead(headers)
    const leaving = [request.signal, stopping]
    const watching = { jobs, id, viewer, stillSees, afterSeq, format, leaving, heartbeatMs, log }
    return new Response(openEventStream(watching), { headers })
  }
}

function createLogReading({ jobs, identify }: JobRoutesOptions): SystemHandler {
  return async ({ request, parameters }) => {
    const { viewer } = await identify(request)
    const afterSeq = readAfter(request)
    const { id } = await jobs.get(assertJobId(parameters[0]), viewer)
    const asLines = takesLines(request)
    const headers = {
      ...streamHeaders,
      'content-type': asLines ? linesMediaType : 'text/plain; charset=utf-8',
    }
    if (request.method === 'HEAD') return streamHead(headers)
    const read: ReadEvents = (after, limit) => jobs.events(id, viewer, after, limit)
    const line = asLines ? jsonLine : logLine
    return new Response(openLogStream({ read, afterSeq, takes: isLogged, line }), { headers })
  }
}

function createResultReading({ jobs, identify }: JobRoutesOptions): SystemHandler {
  return async ({ request, parameters }) => {
    const { viewer } = await identify(request)
    const id = assertJobId(parameters[0])
    return await contentReply(request, 'result', readerOf(jobs, id, viewer, { kind: 'result' }))
  }
}

function createFileReading({ jobs, identify }: JobRoutesOptions): SystemHandler {
  return async ({ request, parameters }) => {
    const { viewer } = await identify(request)
    const id = assertJobId(parameters[0])
    const name = assertFileName(parameters[1])
    return await contentReply(request, name, readerOf(jobs, id, viewer, { kind: 'file', name }))
  }
}

function readerOf(
  jobs: JobRoutesOptions['jobs'],
  id: string,
  viewer: Viewer,
  content: JobContent,
): ReadPiece {
  return (range) => jobs.read(id, viewer, content, range)
}

function takesLines({ headers }: Request): boolean {
  return namesMediaType(headers.get('accept'), linesMediaType)
}
