import type { Jobs } from 'isoplex/client'
import type { JSX } from 'preact'
import { FailureNote } from './answer.tsx'
import { useJobList } from './job-list-watch.ts'
import { OverallBar, StateChip, TimeText } from './job-state.tsx'
import { hashOfJob } from './view-hash.ts'

/** The jobs of whoever looks, the newest first, with bars that move. */
export function JobList({ jobs }: { readonly jobs: Jobs }): JSX.Element {
  const listing = useJobList(jobs)
  return (
    <section class="card" aria-labelledby="jobs-title">
      <header class="card-head">
        <h2 id="jobs-title">Jobs</h2>
        {listing.jobs === null ? null : <span class="note">{listing.jobs.length} shown</span>}
      </header>
      {listing.failure === null ? null : <FailureNote failure={listing.failure} />}
      {listing.jobs?.length === 0 ? (
        <p class="note empty">There are no jobs yet: choose an action and submit one.</p>
      ) : null}
      <ul class="jobs">
        {listing.jobs?.map((job) => (
          <li key={job.id}>
            <a class="job-row" href={hashOfJob(job.id)}>
              <span class="name">{job.function}</span>
              <StateChip job={job} />
              <span class="note">
                <TimeText ms={job.createdMs} />
              </span>
              <OverallBar job={job} label={`${job.function}, ${job.id}`} />
            </a>
          </li>
        ))}
      </ul>
      {listing.hasMore ? (
        <button type="button" onClick={listing.more}>
          Show older ones
        </button>
      ) : null}
    </section>
  )
}
