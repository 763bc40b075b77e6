import type { JsonRecord } from '../../define/step.ts'
import type { JobEventKind, NewJobEvent } from '../event.ts'
import type { JobMetrics, JobProgress } from '../job.ts'
import type { JobReport } from '../store.ts'
import { EventAllowance } from './event-allowance.ts'

/** What a {@link Reporter} is made with. */
export interface ReporterOptions {
  /** Hands a report on; the next waits for it. */
  readonly send: (report: JobReport) => Promise<void>
  /** How far the job is now. */
  readonly progress: () => JobProgress
  /** The metrics that the job has reported before. */
  readonly metrics: JobMetrics
  /** Told of a report that was refused. */
  readonly refused: (error: unknown) => void
  /** The least time from one report to the next. @default 100 */
  readonly paceMs?: number
  /** How many events may be reported. */
  readonly allowance?: EventAllowance
}

/** The largest event, and the most that waits to be reported, in characters of JSON. */
const maxEventChars = 65_536
const maxWaitingChars = 4_194_304
/** The most events that wait to be reported. */
const maxWaitingEvents = 1_000

/**
 * Gathers what an action tells of its job: at most one report is under way, and they keep a distance in time. Of the
 * progress the newest counts, of metrics the last of a name. Events are all kept, in their order, as long as there
 * are not too many: what is beyond the limits is counted, and told as `dropped`.
 */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #allowance: EventAllowance
  #events: NewJobEvent[] = []
  #waitingChars = 0
  #dropped = 0
  /** All metrics, and those that have changed since the last report. */
  #metrics: JobMetrics
  #measured: JobMetrics = {}
  #progressed = false
  #sending: Promise<void> | null = null
  #timer: Timer | null = null
  #sentMs = Number.NEGATIVE_INFINITY

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#metrics = options.metrics
    this.#allowance = options.allowance ?? new EventAllowance()
  }

  /** Notes that the progress has changed. */
  progressed(): void {
    this.#progressed = true
    this.#schedule()
  }

  /** Tells an event. @throws {TypeError} where JSON cannot carry the data. */
  tell(kind: JobEventKind, data: JsonRecord): void {
    this.#schedule()
    const isTold = this.#events.length < maxWaitingEvents && this.#allowance.take()
    const json = isTold ? JSON.stringify(data) : ''
    if (!isTold || !this.#takeRoom(json)) {
      this.#dropped += 1
      return
    }
    // What is reported is what it is now, whatever becomes of the object.
    this.#events.push({ atMs: Date.now(), kind, data: JSON.parse(json) as JsonRecord })
  }

  /** Notes metrics of a category. @throws {TypeError} where JSON cannot carry them. */
  measure(values: JsonRecord, category: string): void {
    this.#schedule()
    const json = JSON.stringify(values)
    if (!this.#takeRoom(json)) {
      this.#dropped += 1
      return
    }
    this.#measured = merge(this.#measured, { [category]: JSON.parse(json) as JsonRecord })
  }

  /** Resolves once all that was told so far has been reported, or refused. */
  flush(): Promise<void> {
    return this.#flush(() => this.#hasNews())
  }

  /** As {@link flush}, of events and metrics: progress that has nothing beside it keeps its pace. */
  flushTold(): Promise<void> {
    return this.#flush(() => this.#hasTold())
  }

  /** One report holds all that was told so far; what is told meanwhile is not waited for, or there might be no end. */
  async #flush(isDue: () => boolean): Promise<void> {
    while (this.#sending !== null) await this.#sending
    if (isDue()) this.#send()
    await this.#sending
  }

  /** Whether there is room for so much more until the next report; it is then taken. */
  #takeRoom({ length }: string): boolean {
    if (length > maxEventChars || this.#waitingChars + length > maxWaitingChars) return false
    this.#waitingChars += length
    return true
  }

  #hasNews(): boolean {
    return this.#progressed || this.#hasTold()
  }

  #hasTold(): boolean {
    return this.#dropped > 0 || this.#waitingChars > 0
  }

  #schedule(): void {
    if (this.#timer !== null || this.#sending !== null) return
    const { paceMs = 100 } = this.#options
    const waitMs = Math.max(0, this.#sentMs + paceMs - performance.now())
    this.#timer = setTimeout(() => this.#send(), waitMs)
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#sentMs = performance.now()
    this.#sending = this.#report().finally(() => {
      this.#sending = null
      if (this.#hasNews()) this.#schedule()
    })
  }

  async #report(): Promise<void> {
    const report = this.#takeReport()
    try {
      await this.#options.send(report)
      this.#metrics = report.metrics ?? this.#metrics
    } catch (error) {
      this.#options.refused(error)
    }
  }

  #takeReport(): JobReport {
    const atMs = Date.now()
    const events = this.#events
    const progress = this.#progressed ? this.#options.progress() : null
    for (const [category, values] of Object.entries(this.#measured)) {
      events.push({ atMs, kind: 'metrics', data: { category, values } })
    }
    if (this.#dropped > 0) events.push({ atMs, kind: 'dropped', data: { count: this.#dropped } })
    const hasMeasured = Object.keys(this.#measured).length > 0
    const metrics = hasMeasured ? merge(this.#metrics, this.#measured) : null
    this.#events = []
    this.#waitingChars = 0
    this.#dropped = 0
    this.#measured = {}
    this.#progressed = false
    return { progress, metrics, events }
  }
}

/** Metrics with others added, which win. */
function merge(metrics: JobMetrics, added: JobMetrics): JobMetrics {
  const merged = Object.entries(added).map(([category, values]) => {
    const known = Object.hasOwn(metrics, category) ? metrics[category] : undefined
    return [category, { ...known, ...values }] as const
  })
  return { ...metrics, ...Object.fromEntries(merged) }
}
