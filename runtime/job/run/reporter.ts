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
  /** The least time from one report to the next. @default 100 */
  readonly paceMs?: number
  /** How many events may be reported. */
  readonly allowance?: EventAllowance
}

/** The largest event, and the most that waits to be reported, in characters of JSON. */
const maxEventChars = 65_536
const maxWaitingChars = 4_194_304
/** The most events that wait to be reported. */
const maxWaiting = 1_000

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
  #metrics = new Map<string, Map<string, unknown>>()
  #progressed = false
  #sending: Promise<void> | null = null
  #timer: Timer | null = null
  #sentMs = Number.NEGATIVE_INFINITY
  #refused = false

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#allowance = options.allowance ?? new EventAllowance()
  }

  /** Notes that the progress has changed. */
  progressed(): void {
    this.#progressed = true
    this.#schedule()
  }

  /** Tells an event. @throws {TypeError} where JSON cannot carry the data. */
  tell(kind: JobEventKind, data: JsonRecord): void {
    if (this.#refused) return
    this.#schedule()
    const isTold = this.#events.length < maxWaiting && this.#allowance.take()
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
    if (this.#refused) return
    this.#schedule()
    const json = JSON.stringify(values)
    if (!this.#takeRoom(json)) {
      this.#dropped += 1
      return
    }
    const known = this.#metrics.get(category) ?? new Map<string, unknown>()
    this.#metrics.set(category, known)
    for (const [name, value] of Object.entries(JSON.parse(json) as JsonRecord)) known.set(name, value)
  }

  /** Resolves once all that was told so far has been reported, or reports are refused. */
  async flush(): Promise<void> {
    for (;;) {
      await this.#sending
      if (!this.#hasNews()) return
      this.#send()
    }
  }

  /** Whether there is room for so much more until the next report; it is then taken. */
  #takeRoom({ length }: string): boolean {
    if (length > maxEventChars || this.#waitingChars + length > maxWaitingChars) return false
    this.#waitingChars += length
    return true
  }

  #hasNews(): boolean {
    const { length } = this.#events
    return !this.#refused && (this.#progressed || length > 0 || this.#dropped > 0 || this.#metrics.size > 0)
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
    this.#sending = this.#options.send(this.#takeReport()).then(
      () => this.#sent(),
      () => {
        // Who has lost the job is told so by whatever it does next that counts.
        this.#refused = true
        this.#sent()
      },
    )
  }

  #sent(): void {
    this.#sending = null
    if (this.#hasNews()) this.#schedule()
  }

  #takeReport(): JobReport {
    const events = this.#events
    if (this.#dropped > 0) {
      events.push({ atMs: Date.now(), kind: 'dropped', data: { count: this.#dropped } })
    }
    const report: JobReport = {
      progress: this.#progressed ? this.#options.progress() : null,
      metrics: this.#metrics.size > 0 ? metricsOf(this.#metrics) : null,
      events,
    }
    this.#events = []
    this.#waitingChars = 0
    this.#dropped = 0
    this.#metrics = new Map()
    this.#progressed = false
    return report
  }
}

function metricsOf(metrics: ReadonlyMap<string, ReadonlyMap<string, unknown>>): JobMetrics {
  return Object.fromEntries([...metrics].map(([category, values]) => [category, Object.fromEntries(values)]))
}
