import { highestUnfinished, type JobProgress } from '../job.ts'
import type { JobReport, Lease } from '../store.ts'
import { changeLeased, progressEvent } from './job-change.ts'
import { type JobRow, progressOf } from './job-row.ts'
import { assertWithin, countBytes } from './record-limit.ts'
import type { JobStoreParts } from './store-parts.ts'

/** As `JobStore.report`. */
export function reportJob(parts: JobStoreParts, lease: Lease, report: JobReport): Promise<void> {
  const metrics = report.metrics === null ? null : JSON.stringify(report.metrics)
  return changeLeased(parts, lease, async ({ row, nowMs }) => {
    assertWithin(
      countBytes(metrics ?? ''),
      parts.limits.maxJobRecordBytes,
      'The metrics of the job',
      'report fewer, and keep what is large in a file of the job (files.write)',
    )
    const measured = metrics === null ? {} : { metrics }
    if (report.progress === null) return { answer: undefined, set: measured, events: report.events }
    const progress = riseTo(row, report.progress)
    return {
      answer: undefined,
      set: { ...measured, progress: JSON.stringify(progress) },
      events: [...report.events, progressEvent(nowMs, progress)],
    }
  })
}

/** Progress never falls, and is not at its end before the job is. */
function riseTo(row: JobRow, progress: JobProgress): JobProgress {
  const before = progressOf(row).overall
  const reported = Number.isNaN(progress.overall) ? before : progress.overall
  return { ...progress, overall: Math.min(Math.max(before, reported), highestUnfinished) }
}
