import type { Step, StepResult } from '../../define/step.ts'
import type { ActionOrder } from '../message.ts'
import { bringModel, type Course, inStep, isRecorded } from './course.ts'
import { type Failure, isLeaseLost, shownText } from './failure.ts'
import { failedResult, recordExecuted } from './step-execution.ts'
import type { StepsEnd } from './step-run.ts'

/**
 * Rolls the steps back, the last one first, and so the one that failed or was interrupted before all others. What goes
 * wrong is collected, and keeps no other step from being rolled back.
 */
export async function rollBack(course: Course, { pendingEnd, cause }: Failure): Promise<StepsEnd> {
  const { errors, run } = course
  await recordInterrupted(course, pendingEnd.error.message)
  const rolledBack = new Set(run.order.rolledBack)
  for (const { name, result } of course.records.toReversed()) {
    if (result.skipped || rolledBack.has(name)) continue
    const step = course.stepOf.get(name)
    if (step !== undefined && step.rollback === undefined) continue
    const error =
      step === undefined
        ? `${failed(name)}: the action has no such step any more.`
        : await undo(course, step, result)
    if (error !== null) errors.push(error)
    await run.host.recordRollback(name, error)
  }
  const error = { ...pendingEnd.error, rollbackErrors: [...errors] }
  return { end: { state: pendingEnd.state, error, result: null }, cause }
}

/** What is said of the steps that would have to be rolled back, where the action that could do so is not to be had. */
export function leftAsTheyAre(
  {
    steps,
    runningStep,
    rolledBack,
    strict,
  }: Pick<ActionOrder, 'steps' | 'runningStep' | 'rolledBack' | 'strict'>,
  error: unknown,
): readonly string[] {
  const begun = steps.filter(({ result }) => !result.skipped).map(({ name }) => name)
  const names = new Set(runningStep === null ? begun : [...begun, runningStep.name])
  return [...names.difference(new Set(rolledBack))]
    .toReversed()
    .map((name) => describe(failed(name), shownText(error, strict)))
}

/** A step in whose middle an earlier process ended has failed: its own rollback is the first. */
async function recordInterrupted(course: Course, reason: string): Promise<void> {
  const { runningStep } = course.run.order
  if (runningStep === null || isRecorded(course, runningStep.name)) return
  await recordExecuted(course, runningStep.name, { result: failedResult(reason) }, null)
}

/** Rolls one step back; says what went wrong. */
async function undo(course: Course, step: Step, result: StepResult): Promise<string | null> {
  const { name } = step
  const current = { name, attempt: course.attempts.get(name) ?? 1 }
  try {
    await bringModelIfPossible(course)
    await inStep(course, 'rollback', current, async (context) => step.rollback?.(context, result))
    return null
  } catch (error) {
    return told(course, error, failed(name))
  }
}

/** A rollback is worth trying without the model, to which whoever submitted the job may have lost the right. */
async function bringModelIfPossible(course: Course): Promise<void> {
  try {
    await bringModel(course)
  } catch (error) {
    course.modelIsMissing = false
    course.errors.push(told(course, error, 'The model of the steps could not be loaded for the rollback'))
  }
}

/** What is said of an error in a rollback; the log gets all of it. */
function told({ run }: Course, error: unknown, what: string): string {
  if (isLeaseLost(error)) throw error
  run.onRollbackError(what, error)
  return describe(what, shownText(error, run.strict))
}

function describe(what: string, text: string | null): string {
  return text === null ? `${what}; the server's log has the cause.` : `${what}: ${text}`
}

function failed(name: string): string {
  return `Rollback of step "${name}" failed`
}
