import { IsoplexError } from '../../error/error.ts'
import { type CategoryProgress, highestUnfinished, type JobProgress } from '../job.ts'

/** What a {@link ProgressMeter} is made with. */
export interface ProgressOptions {
  /** The share of each category, against the others; from 0 on. */
  readonly weights: Readonly<Record<string, number>>
  /** The overall progress at which an earlier attempt ended. @default 0 */
  readonly from?: number
  /** Whether an impossible report is an error; else it is corrected. */
  readonly strict: boolean
  /** Told of the first correction in each category. */
  readonly onCorrection: (message: string) => void
  /** A clock in milliseconds that never goes back. @default performance.now */
  readonly now?: () => number
}

/** A category as it was reported last, and what its pace is measured from. */
interface Standing {
  readonly current: number
  readonly total: number
  readonly since: { readonly atMs: number; readonly current: number }
  readonly timeRemainingSeconds: number | null
}

/** A category of which nothing was reported. */
const notBegun: Standing = {
  current: 0,
  total: 1,
  since: { atMs: 0, current: 0 },
  timeRemainingSeconds: null,
}

/** The most names of unknown categories that are remembered, so that each is told of once. */
const mostUnknown = 100

/**
 * Adds up how far a job is: the weighted mean of how far its categories are. The overall figure never falls, and stays
 * below 100: the store has it come to that when the job has succeeded.
 */
export class ProgressMeter {
  readonly #shares: ReadonlyMap<string, number>
  readonly #wholeShare: number
  readonly #standings = new Map<string, Standing>()
  readonly #corrected = new Set<string>()
  readonly #options: ProgressOptions
  readonly #now: () => number
  #current: string | null = null
  #overall: number

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#shares = sharesOf(options.weights)
    this.#wholeShare = compensatedSum(this.#shares.values())
    this.#overall = Math.min(Math.max(options.from ?? 0, 0), highestUnfinished)
  }

  /**
   * Takes a report: `current` of `total` is done in a category.
   *
   * @throws {IsoplexError} `PROGRESS_INVALID` in strict mode where `total` is not above 0, `current` is outside 0 to
   * `total`, or there is no such category. Else `total` counts as 1 and `current` is brought to the nearest bound, and a
   * report of an unknown category is left out.
   */
  report(current: number, total: number, category: string): void {
    const mistake = mistakeOf(current, total, this.#shares.has(category) ? null : this.#unknown(category))
    if (mistake !== null) this.#correct(mistake, category)
    if (!this.#shares.has(category)) return
    const whole = isAboveZero(total) ? total : 1
    this.#stand(category, clamp(current, whole), whole)
  }

  /** Notes that a category is being worked on. Without such a category, nothing. */
  begin(category: string): void {
    if (!this.#shares.has(category)) return
    this.#current = category
  }

  /** Notes that a category is through, however much of it was reported. Without such a category, nothing. */
  complete(category: string): void {
    if (!this.#shares.has(category)) return
    const total = this.#standings.get(category)?.total ?? 1
    this.#stand(category, total, total)
  }

  /** How far the job is now. Plain data that does not change any more. */
  snapshot(): JobProgress {
    const standings = new Map(this.#standings)
    const current = this.#current
    if (current !== null && !standings.has(current)) standings.set(current, notBegun)
    const categories = [...standings].map(([name, standing]) => [name, categoryOf(standing)] as const)
    return { overall: this.#overall, current, categories: Object.fromEntries(categories) }
  }

  #stand(category: string, current: number, total: number): void {
    const atMs = this.#now()
    const before = this.#standings.get(category)
    const goesOn = before !== undefined && current > 0 && current >= before.since.current
    const since = goesOn ? before.since : { atMs, current }
    const timeRemainingSeconds = remainingSeconds({ current, total, since, atMs })
    this.#standings.set(category, { current, total, since, timeRemainingSeconds })
    this.#current = category
    const percent = Math.min(toPercent(this.#fraction()), highestUnfinished)
    this.#overall = Math.max(this.#overall, percent)
  }

  #fraction(): number {
    if (this.#wholeShare === 0) return 0
    const done = [...this.#standings].map(
      ([name, { current, total }]) => (this.#shares.get(name) ?? 0) * (current / total),
    )
    return compensatedSum(done) / this.#wholeShare
  }

  #unknown(category: string): string {
    const known = [...this.#shares.keys()].map((name) => `"${name}"`).join(', ')
    return `there is no category ${JSON.stringify(String(category).slice(0, 128))}; there are ${known || 'none'}`
  }

  #correct(mistake: string, category: string): void {
    const message = `Impossible progress in "${String(category).slice(0, 128)}": ${mistake}.`
    if (this.#options.strict) throw new IsoplexError('PROGRESS_INVALID', message)
    if (this.#corrected.has(category) || this.#corrected.size >= this.#shares.size + mostUnknown) return
    this.#corrected.add(category)
    this.#options.onCorrection(message)
  }
}

/** The weights, brought to at most 1 each, so that no sum of them is beyond what a number can hold. */
function sharesOf(weights: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  const heaviest = Math.max(0, ...Object.values(weights))
  return new Map(
    Object.entries(weights).map(([name, weight]) => [name, heaviest === 0 ? 0 : weight / heaviest]),
  )
}

function mistakeOf(current: number, total: number, unknown: string | null): string | null {
  if (unknown !== null) return unknown
  if (!isAboveZero(total)) return `the total must be a number above 0; it is ${String(total)}`
  if (clamp(current, total) !== current) {
    return `the current value must be from 0 to ${total}; it is ${String(current)}`
  }
  return null
}

function isAboveZero(value: number): boolean {
  return Number.isFinite(value) && value > 0
}

/** A value brought to 0 to `total`; what is no number is 0. */
function clamp(value: number, total: number): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, total) : 0
}

/** Elapsed time by what was done in it, times what is left, after the progress of Synapse's loggers. */
function remainingSeconds({
  current,
  total,
  since,
  atMs,
}: Omit<Standing, 'timeRemainingSeconds'> & { atMs: number }): number | null {
  if (current === total) return 0
  const done = current - since.current
  if (done <= 0) return null
  const seconds = ((atMs - since.atMs) / 1000 / done) * (total - current)
  return Number.isFinite(seconds) ? Math.round(seconds * 100) / 100 : null
}

function categoryOf({ current, total, timeRemainingSeconds }: Standing): CategoryProgress {
  return { current, total, percent: toPercent(current / total), timeRemainingSeconds }
}

/** A fraction as a percentage with two digits. */
function toPercent(fraction: number): number {
  return Math.round(fraction * 1e4) / 100
}

/** A sum whose rounding errors are added up beside it (Neumaier 1974): ten times 0.1 are 1. */
function compensatedSum(values: Iterable<number>): number {
  let sum = 0
  let lost = 0
  for (const value of values) {
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return sum + lost
}
