import type { Job } from 'isoplex/client'
import type { JSX } from 'preact'
import type { CatalogFunction } from './catalog.ts'
import { type BarRow, barRows, formatPercent } from './job-bars.ts'
import { OverallBar } from './job-state.tsx'

/** How far a job is: in all, and in each step or category. */
export function JobBars({
  job,
  action,
}: {
  readonly job: Job
  readonly action: CatalogFunction['action']
}): JSX.Element {
  const rows = barRows(job, action)
  return (
    <section class="card" aria-labelledby="progress-title">
      <h2 id="progress-title">Progress</h2>
      <OverallBar job={job} label="Overall progress" />
      <ol class="job-bars" aria-label={action?.steps.length ? 'Steps' : 'Categories'}>
        {rows.map((row) => (
          <Row key={row.name} row={row} />
        ))}
      </ol>
    </section>
  )
}

function Row({ row }: { readonly row: BarRow }): JSX.Element {
  const { name, percent, share, counted, remaining, state } = row
  return (
    <li class={state ?? 'category'}>
      <span class="name">{name}</span>
      <span class="note">
        {[
          state,
          counted,
          remaining === null ? null : `${remaining} left`,
          share === null ? null : `weighs ${Math.round(share)} %`,
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
      <progress aria-label={name} value={percent} max={100} />
      <span class="percent">{formatPercent(percent)}</span>
    </li>
  )
}
