import type { FunctionLog } from '../../define/context.ts'
import { toJobDocument } from '../../job/document.ts'
import { isEnded } from '../../job/job.ts'
import type { JobService } from '../../job/service.ts'
import type { Viewer } from '../../job/store.ts'
import { Audience } from './audience.ts'
import type { EventFormat } from './event-text.ts'
import { PatientReader } from './patient-reader.ts'

/** What a stream of events tells of, and to whom. */
export interface EventStreamOptions {
  readonly jobs: Pick<JobService, 'get' | 'watch'>
  readonly id: string
  readonly viewer: Viewer
  /** The number of the last event that is known already. */
  readonly afterSeq: number
  readonly format: EventFormat
  /** Each ends the stream, without its last line: whoever wants more comes again. */
  readonly leaving: readonly AbortSignal[]
  /** After how long a silence something is sent, in milliseconds. So long nobody asks again whether they may look. */
  readonly heartbeatMs: number
  /** Whether the viewer may still look; where not, the stream ends without its last line. */
  readonly stillSees: () => Promise<boolean>
  readonly log: FunctionLog
}

/**
 * The events of a job as bytes, as they come, to the end of the job. It asks for no more than is read, so that whoever
 * reads slowly keeps nothing here but one batch.
 */
export function openEventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { jobs, id, viewer, afterSeq, format, heartbeatMs, stillSees, log } = options
  const audience = new Audience(options.leaving)
  const batches = new PatientReader(jobs.watch(id, viewer, afterSeq, audience.signal))
  let begun = false
  let allowedAtMs = performance.now()
  const isAllowed = async (): Promise<boolean> => {
    if (performance.now() - allowedAtMs < heartbeatMs) return true
    const allowed = await stillSees()
    allowedAtMs = performance.now()
    return allowed
  }
  const next = async (): Promise<{ readonly bytes: Uint8Array | null; readonly last: boolean }> => {
    const step = await batches.next(heartbeatMs)
    if (!(await isAllowed())) return { bytes: null, last: true }
    if (step === null) return { bytes: format.heartbeat, last: false }
    if (!step.done) return { bytes: format.batch(step.value), last: false }
    const job = await jobs.get(id, viewer)
    return { bytes: isEnded(job.state) ? format.end(toJobDocument(job)) : null, last: true }
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Bun sends the head of a reply with its first bytes, and there may be none for long.
        if (!begun) {
          begun = true
          return controller.enqueue(format.opening)
        }
        try {
          const { bytes, last } = await next()
          if (bytes) controller.enqueue(bytes)
          if (!last) return
          audience[Symbol.dispose]()
          controller.close()
        } catch (error) {
          audience[Symbol.dispose]()
          log.warn('The events of a job broke off', { job: id, error })
          controller.error(error)
        }
      },
      cancel: () => audience[Symbol.dispose](),
    },
    { highWaterMark: 0 },
  )
}
