import type { Job, JobHandle, Jobs } from 'isoplex/client'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { FailureNote } from './answer.tsx'
import { type CatalogFunction, hashOf } from './catalog.ts'
import { type Failure, readFailure } from './failure.ts'
import { JobBars } from './job-bars-view.tsx'
import { JobFiles } from './job-files.tsx'
import { JobLinesView } from './job-lines-view.tsx'
import { JobMetricsView } from './job-metrics.tsx'
import { JobResult } from './job-result.tsx'
import { StateChip, TimeText } from './job-state.tsx'
import { useJob } from './job-watch.ts'
import { formatDuration } from './latency.ts'
import { jobsHash } from './view-hash.ts'

/** One job in all its parts, as it goes on. */
export function JobPage({
  jobs,
  id,
  functions,
}: {
  readonly jobs: Jobs
  readonly id: string
  readonly functions: readonly CatalogFunction[]
}): JSX.Element {
  const { handle, watched, failure } = useJob(jobs, id)
  const fn = functions.find(({ name }) => name === watched?.job.function)
  return (
    <>
      <p class="row links">
        <a class="link" href={jobsHash}>
          All jobs
        </a>
        {fn === undefined ? null : (
          <a class="link" href={hashOf(fn.name)}>
            Submit another
          </a>
        )}
      </p>
      {failure === null ? null : <FailureNote failure={failure} />}
      {handle === null || watched === null ? null : (
        <>
          <JobHead job={watched.job} handle={handle} />
          <JobFailure job={watched.job} />
          <JobBars job={watched.job} action={fn?.action ?? null} />
          <JobResult job={watched.job} handle={handle} />
          <JobFiles job={watched.job} handle={handle} />
          <JobMetricsView metrics={watched.job.metrics} />
          <JobLinesView told={watched.lines} />
        </>
      )}
    </>
  )
}

interface JobProps {
  readonly job: Job
  readonly handle: JobHandle
}

function JobHead({ job: told, handle }: JobProps): JSX.Element {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isCancelled, setCancelled] = useState(false)
  const job = { ...told, cancelRequested: told.cancelRequested || isCancelled }
  const hasEnded = job.endedMs !== null
  const cancel = (): void => {
    if (job.cancelRequested) return
    setFailure(null)
    handle.cancel().then(
      () => setCancelled(true),
      (error: unknown) => setFailure(readFailure(error)),
    )
  }
  return (
    <div class="function-head job-head">
      <h2>{job.function}</h2>
      <p class="row">
        <StateChip job={job} /> <code class="faint">{job.id}</code>
        {hasEnded ? null : (
          <button type="button" aria-disabled={job.cancelRequested} onClick={cancel}>
            Cancel
          </button>
        )}
      </p>
      <p class="hidden" aria-live="polite">
        The job is {job.state}.
      </p>
      <dl class="facts">
        <Fact name="submitted">
          <TimeText ms={job.createdMs} />
        </Fact>
        {job.startedMs === null ? null : (
          <Fact name="waited">{formatDuration(Math.max(0, job.startedMs - job.createdMs))}</Fact>
        )}
        {job.startedMs === null || job.endedMs === null ? null : (
          <Fact name="took">{formatDuration(Math.max(0, job.endedMs - job.startedMs))}</Fact>
        )}
        {job.attempt > 1 ? <Fact name="attempt">{job.attempt}</Fact> : null}
        {job.expiresMs === null ? null : (
          <Fact name="kept until">
            <TimeText ms={job.expiresMs} />
          </Fact>
        )}
      </dl>
      {failure === null ? null : <FailureNote failure={failure} />}
    </div>
  )
}

function Fact({
  name,
  children,
}: {
  readonly name: string
  readonly children: JSX.Element | string | number
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function JobFailure({ job }: { readonly job: Job }): JSX.Element | null {
  const { error } = job
  if (error === null) return null
  return (
    <div class="failure" role="alert">
      <p>
        <code>{error.code}</code> {error.message}
      </p>
      {error.step === null ? null : (
        <p class="note">
          In the step <b>{error.step}</b>.
        </p>
      )}
      {error.rollbackErrors.length === 0 ? null : (
        <ul>
          {error.rollbackErrors.map((text, index) => (
            <li key={index}>In the rollback: {text}</li>
          ))}
        </ul>
      )}
    </div>
  )
}
