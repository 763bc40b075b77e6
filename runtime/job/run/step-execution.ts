import type { CurrentStep, Step, StepContext, StepOutcome, StepResult } from '../../define/step.ts'
import { isIsoplexError } from '../../error/error.ts'
import { bringModel, type Course, inStep } from './course.ts'
import { isLeaseLost, shownText } from './failure.ts'
import { assertJson, recordFields, salvageFields, startFields } from './fields.ts'

/** How a step has ended; the cause is what was thrown, where anything was. */
export interface Executed {
  readonly result: StepResult
  readonly cause?: unknown
}

/** Executes a step, or skips it. What fails is its result, except where the job's lease is lost. */
export async function executeStep(course: Course, step: Step, current: CurrentStep): Promise<Executed> {
  try {
    await bringModel(course)
    const result = await inStep(course, 'execute', current, (context) => perform(step, context))
    assertJson(result.rollbackData, 'rollbackData', step.name)
    return { result }
  } catch (cause) {
    if (isLeaseLost(cause)) throw cause
    return { result: failedResult(shownText(cause, course.run.strict)), cause }
  }
}

/**
 * Records how a step has ended, and that the next one begins where it has succeeded. Where that cannot be recorded, as
 * it is too large or JSON cannot carry it, the step has failed, and that is recorded.
 */
export async function recordExecuted(
  course: Course,
  name: string,
  executed: Executed,
  next: string | null,
): Promise<Executed> {
  const { host, params, batchSize, strict, extension } = course.run
  const { result } = executed
  const start = startFields(params, batchSize, extension?.fields ?? {})
  try {
    assertJson(result.data, 'data', name)
    const fields = result.success ? recordFields(course.fields, name) : salvageFields(course.fields, start)
    await host.recordStep({ name, result }, fields, result.success ? next : null)
    course.records.push({ name, result })
    return executed
  } catch (cause) {
    if (isLeaseLost(cause)) throw cause
    const failed = { ...failedResult(shownText(cause, strict)), rollbackData: result.rollbackData }
    // What the host refused may have been too large in any part.
    const recorded = isIsoplexError(cause) ? { ...failed, rollbackData: {} } : failed
    await host.recordStep({ name, result: recorded }, salvageFields(start, start), null)
    course.records.push({ name, result: failed })
    return { result: failed, cause }
  }
}

/** The result of a step that had nothing to do. */
export function skippedResult(): StepResult {
  return resultOf({ skipped: true })
}

/** The result of a step that failed, with the reason as whoever submitted the job may read it. */
export function failedResult(reason: string | null): StepResult {
  return resultOf({ success: false, error: reason })
}

async function perform(step: Step, context: StepContext): Promise<StepResult> {
  if (step.canSkip !== undefined && (await step.canSkip(context))) return skippedResult()
  const outcome: unknown = await step.execute(context)
  if (outcome === undefined || outcome === null) return resultOf({})
  if (typeof outcome === 'object') return resultOf(outcome)
  throw new TypeError(`Step "${step.name}" returned a ${typeof outcome}; it returns an outcome, or nothing.`)
}

function resultOf({ success, data = {}, error = null, rollbackData = {}, skipped }: StepOutcome): StepResult {
  const succeeded = success ?? error === null
  return {
    success: succeeded,
    data,
    error,
    rollbackData,
    skipped: succeeded && skipped === true,
    timestamp: new Date().toISOString(),
  }
}
