import type { StepRecord } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { StepHost, StepRun } from '../../../runtime/job/run/step-run.ts'
import type { PendingEnd, RunningStep } from '../../../runtime/job/store.ts'

/** What is kept of one job's steps between its processes, as JSON, and in which order it was written. */
export class StepLedger {
  readonly writes: string[] = []
  #steps: string[] = []
  #rolledBack: string[] = []
  #fields = 'null'
  #begun = new Map<string, number>()
  #running: string | null = null
  #pendingEnd = 'null'

  /** What a process that goes on with the job is given. */
  order(): StepRun['order'] {
    const running: RunningStep | null =
      this.#running === null ? null : { name: this.#running, attempt: this.#begun.get(this.#running) ?? 0 }
    return {
      steps: this.#steps.map((text) => JSON.parse(text)),
      rolledBack: [...this.#rolledBack],
      fields: JSON.parse(this.#fields),
      runningStep: running,
      pendingEnd: JSON.parse(this.#pendingEnd),
    }
  }

  /** A host for one process. `lives` is asked before and after each call; the call of a dead one never ends. */
  host(lives: () => boolean = () => true, maxBytes = Number.POSITIVE_INFINITY): StepHost {
    const ask =
      <Arguments extends readonly unknown[], Answer>(answer: (...of: Arguments) => Answer) =>
      async (...of: Arguments): Promise<Answer> => {
        if (!lives()) await never
        const given = answer(...of)
        if (!lives()) await never
        return given
      }
    return {
      prepareModel: ask((id: string) => ({ id, version: '1', path: `/models/${id}` })),
      beginStep: ask((name: string) => this.#begin(name)),
      recordStep: ask((record: StepRecord, fields: unknown, next: string | null) => {
        const kept = JSON.stringify(fields)
        const text = JSON.stringify(record)
        if (kept.length + text.length > maxBytes) {
          throw new IsoplexError('JOB_TOO_LARGE', 'The step leaves too much.', {
            details: { limitBytes: maxBytes },
          })
        }
        if (this.#steps.some((step) => JSON.parse(step).name === record.name)) {
          throw new Error(`"${record.name}" is recorded already.`)
        }
        this.writes.push(`record ${record.name}`)
        this.#steps.push(text)
        this.#fields = kept
        this.#running = null
        if (next !== null) this.#begin(next)
      }),
      beginRollback: ask((end: PendingEnd) => {
        this.writes.push(`roll back: ${end.state}`)
        this.#pendingEnd = JSON.stringify(end)
      }),
      recordRollback: ask((step: string, error: string | null) => {
        this.writes.push(`rolled back ${step}${error === null ? '' : `: ${error}`}`)
        this.#rolledBack.push(step)
      }),
    }
  }

  #begin(name: string): RunningStep {
    const attempt = (this.#begun.get(name) ?? 0) + 1
    this.#begun.set(name, attempt)
    this.#running = name
    return { name, attempt }
  }
}

/** What a dead process waits for. */
const never = new Promise<never>(() => {})
