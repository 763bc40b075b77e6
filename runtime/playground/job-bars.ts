import type { Job, JobProgress } from 'isoplex/client'
import type { CatalogFunction } from './catalog.ts'

/** How far one category, or one step, of a job is. */
export interface BarRow {
  readonly name: string
  /** From 0 to 100. */
  readonly percent: number
  /** Its share of the whole in percent; `null` where the action does not say. */
  readonly share: number | null
  /** Done of all, as it was reported last; `null` before. */
  readonly counted: string | null
  readonly remaining: string | null
  /** What has become of it, where it is a step. */
  readonly state: StepState | null
}

/** What has become of a step. */
export type StepState = 'waiting' | 'not-run' | 'running' | 'done' | 'skipped' | 'failed' | 'rolled-back'

/** A job reports what it likes; the page shows this many of its categories. */
const mostRows = 60

/** The bars of a job: a row for each step in their order, else for each category. */
export function barRows(job: Job, action: CatalogFunction['action']): readonly BarRow[] {
  const weights = action?.weights ?? {}
  const whole = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  const recorded = new Map(job.steps.map(({ name, state }) => [name, state]))
  const { categories } = job.progress
  const steps = new Set([...(action?.steps ?? []), ...recorded.keys()])
  const names = new Set([...steps, ...Object.keys(weights), ...Object.keys(categories)])
  return [...names].slice(0, mostRows).map((name) => {
    const reported = Object.hasOwn(categories, name) ? categories[name] : undefined
    const weight = Object.hasOwn(weights, name) ? weights[name] : undefined
    const state = steps.has(name) ? stepState(name, job, recorded) : null
    const isDone = state === 'done' || state === 'skipped'
    return {
      name,
      percent: isDone ? 100 : boundPercent(reported?.percent ?? 0),
      share: weight === undefined || whole === 0 ? null : (weight / whole) * 100,
      counted: reported === undefined || isDone ? null : `${reported.current} of ${reported.total}`,
      remaining: job.state === 'running' && !isDone ? formatRemaining(reported?.timeRemainingSeconds) : null,
      state,
    }
  })
}

/** The later of two reports of one job: progress never falls, whichever of the two was read first. */
export function laterProgress(left: JobProgress, right: JobProgress): JobProgress {
  return right.overall >= left.overall ? right : left
}

/** A time to come as people read it; `null` where none is known. */
export function formatRemaining(seconds: number | null | undefined): string | null {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return null
  if (seconds < 60) return `${Math.ceil(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** A number of percent as it is shown; what is not yet all is never 100. */
export function formatPercent(percent: number): string {
  return `${percent >= 100 ? 100 : (Math.floor(percent * 10) / 10).toFixed(1)} %`
}

/** A percentage within its bounds, whatever was reported. */
export function boundPercent(percent: number): number {
  return percent > 0 ? Math.min(100, percent) : 0
}

function stepState(
  name: string,
  { state, endedMs, progress }: Job,
  recorded: ReadonlyMap<string, StepState>,
): StepState {
  const known = recorded.get(name)
  if (known !== undefined) return known
  if (endedMs !== null) return 'not-run'
  return state === 'running' && progress.current === name ? 'running' : 'waiting'
}
