import type { ActionContext } from '../../../runtime/define/action-context.ts'
import type { Step } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { ProgressMeter } from '../../../runtime/job/run/progress.ts'
import type { StepRun, StepsEnd } from '../../../runtime/job/run/step-run.ts'
import { openLedger, type StepLedger } from './step-ledger.ts'

/** What of a run a test cares about. */
export interface RunDraft {
  readonly steps: readonly Step[]
  readonly ledger?: StepLedger
  /** As `StepLedger.take` takes it. */
  readonly lives?: () => boolean
  readonly params?: unknown
  readonly signal?: AbortSignal
  readonly strict?: boolean
  readonly conclude?: StepRun['conclude']
  readonly extension?: StepRun['extension']
}

/** A run of steps in a new process of a job. A result is kept as JSON in the place of its path. */
export async function stepRun({ steps, ledger, strict = false, ...draft }: RunDraft): Promise<StepRun> {
  const { order, host } = await (ledger ?? (await openLedger())).take(draft.lives)
  const signal = draft.signal ?? new AbortController().signal
  return {
    steps,
    conclude: draft.conclude ?? null,
    batchSize: 4,
    params: draft.params,
    host,
    order,
    signal,
    progress: new ProgressMeter({
      weights: Object.fromEntries(steps.map(({ name, weight }) => [name, weight])),
      strict,
      onCorrection: () => {},
    }),
    strict,
    // The members that steps of tests look at; orchestrating touches none of the context.
    makeContext: ({ phase }) =>
      ({
        params: draft.params,
        signal: phase === 'rollback' ? new AbortController().signal : signal,
      }) as ActionContext,
    extension: draft.extension ?? null,
    onRollbackError: () => {},
    keepResult: async (value) => ({
      path: JSON.stringify(value),
      form: 'value',
      mediaType: 'application/json',
      count: 1,
    }),
  }
}

/** Fails as a step of a user may. */
export function refuse(): never {
  throw new IsoplexError('JOB_ENDED', 'The file is empty.', { details: { state: 'failed', code: null } })
}

/** What such a run has kept as its result. */
export function kept(result: StepsEnd['end']['result']): unknown {
  return JSON.parse(result?.path ?? 'null')
}
