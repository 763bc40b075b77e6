import type { ActionProgram } from '../../define/action.ts'
import type { ActionContext } from '../../define/action-context.ts'
import type { CurrentStep, Step } from '../../define/step.ts'
import type { ActionHost, ActionOrder } from '../message.ts'
import type { JobEnd } from '../store.ts'
import type { ContextExtension } from './context-extension.ts'
import type { ProgressMeter } from './progress.ts'

/**
 * What a context is for: a step's work, its rollback, or the conclusion after all steps. The signal of one for a
 * rollback must not have fired because the job was cancelled: the rollback is what that cancelling leads to.
 */
export type ContextPlace =
  | { readonly phase: 'execute' | 'rollback'; readonly step: CurrentStep }
  | { readonly phase: 'conclude' }

/** What of its host the steps of a job need. */
export type StepHost = Pick<
  ActionHost,
  'prepareModel' | 'beginStep' | 'recordStep' | 'beginRollback' | 'recordRollback'
>

/** All that is needed to run the steps of one job, or to go on with them. */
export interface StepRun {
  readonly steps: readonly Step[]
  readonly conclude: ActionProgram['conclude']
  /** Where the shared field `batchSize` starts. */
  readonly batchSize: number
  readonly params: unknown
  readonly host: StepHost
  readonly order: Pick<ActionOrder, 'steps' | 'rolledBack' | 'fields' | 'runningStep' | 'pendingEnd'>
  /** Fires when the job is to end; its reason says why: an error of ours, `CANCELLED` or another. */
  readonly signal: AbortSignal
  /** Told of the steps as they begin and end; its categories are their names. */
  readonly progress: ProgressMeter
  /** Whether errors that are not ours are shown to whoever submitted the job. */
  readonly strict: boolean
  /** A plain object with the context's members; the fields that steps share are added to a copy of it. */
  readonly makeContext: (place: ContextPlace) => ActionContext
  /** What the contexts have beside that, and the fields that steps share; `null` for nothing. */
  readonly extension: ContextExtension | null
  /** Told what went wrong in a rollback, and why, for the log. */
  readonly onRollbackError: (message: string, error: unknown) => void
  /** Holds the result to the action's schema and keeps it; what it throws fails the job, and rolls it back. */
  readonly keepResult: (value: unknown) => Promise<JobEnd['result']>
}

/** How the steps of a job have ended. */
export interface StepsEnd {
  /** What is to be told to `ActionHost.finish`. */
  readonly end: JobEnd
  /** The error with its causes, for the log; `null` where the job has succeeded. */
  readonly cause: Error | null
}
