import type { Job } from 'isoplex/client'
import type { JSX } from 'preact'
import { boundPercent, formatPercent } from './job-bars.ts'

/** The state of a job in a word. */
export function StateChip({ job }: { readonly job: Job }): JSX.Element {
  return <span class={`state-chip ${job.state}`}>{stateText(job)}</span>
}

/** How far a job is in all. */
export function OverallBar({ job, label }: { readonly job: Job; readonly label: string }): JSX.Element {
  const percent = boundPercent(job.progress.overall)
  return (
    <span class={`overall ${job.state}`}>
      <progress aria-label={label} value={percent} max={100} />
      <span class="percent">{formatPercent(percent)}</span>
    </span>
  )
}

function stateText({ state, cancelRequested, rollingBack }: Job): string {
  if (state !== 'running' && state !== 'queued') return state
  if (rollingBack) return 'rolling back'
  return cancelRequested ? 'cancelling' : state
}

/** When something was, as the reader's clock has it. */
export function TimeText({ ms }: { readonly ms: number }): JSX.Element {
  const date = new Date(ms)
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {date.toDateString() === new Date().toDateString() ? date.toLocaleTimeString() : date.toLocaleString()}
    </time>
  )
}
