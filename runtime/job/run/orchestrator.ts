import type { JsonRecord, Step } from '../../define/step.ts'
import { fromWire } from '../../error/wire.ts'
import { bringModel, type Course, concludeContext, isRecorded, openCourse } from './course.ts'
import { type Failure, interruption, isLeaseLost, jobFailure, stepFailure } from './failure.ts'
import { rollBack } from './rollback.ts'
import { executeStep, recordExecuted, skippedResult } from './step-execution.ts'
import type { StepRun, StepsEnd } from './step-run.ts'

/**
 * Runs the steps of a job to their end, or goes on where an earlier process ended: at the first step that is not
 * recorded, or with the rollback once that has begun. Each step is recorded once, with the shared fields, in the write
 * that also notes the next one. What fails, in a step or in the conclusion, is rolled back; so is what is cancelled.
 *
 * @throws {IsoplexError} `LEASE_LOST`, at once and with nothing more done; and what keeps the host from recording that a
 * step has failed.
 */
export async function runSteps(run: StepRun): Promise<StepsEnd> {
  const course = openCourse(run)
  const { pendingEnd } = run.order
  if (pendingEnd !== null) return await rollBack(course, { pendingEnd, cause: fromWire(pendingEnd.error) })
  const outcome = (await goForward(course)) ?? (await conclude(course))
  if ('end' in outcome) return outcome
  await run.host.beginRollback(outcome.pendingEnd)
  return await rollBack(course, outcome)
}

/** Runs the steps that are not recorded; why the job ends at one of them, else `null`. */
async function goForward(course: Course): Promise<Failure | null> {
  const { steps, signal } = course.run
  const broken = course.records.find(({ result }) => !result.success)
  if (broken !== undefined) return stepFailure(broken.name, broken.result.error)
  const ahead = steps.filter(({ name }) => !isRecorded(course, name))
  for (const [index, step] of ahead.entries()) {
    if (signal.aborted) return await stopBefore(course, step)
    const failure = await runStep(course, step, ahead[index + 1]?.name ?? null)
    if (failure !== null) return failure
  }
  return signal.aborted ? interruption(signal, null) : null
}

/** Ends before a step: one that has only been noted has nothing to roll back, unless an earlier process began it. */
async function stopBefore(course: Course, { name }: Step): Promise<Failure> {
  const { signal, order } = course.run
  if (course.begun === name) await recordExecuted(course, name, { result: skippedResult() }, null)
  const interrupted = order.runningStep?.name ?? null
  return interruption(signal, interrupted === null || isRecorded(course, interrupted) ? null : interrupted)
}

async function runStep(course: Course, step: Step, following: string | null): Promise<Failure | null> {
  const { name } = step
  const { host, progress, signal } = course.run
  const current = course.begun === name ? { name, attempt: 1 } : await host.beginStep(name)
  course.attempts.set(name, current.attempt)
  progress.begin(name)
  const executed = await executeStep(course, step, current)
  const next = signal.aborted ? null : following
  const { result, cause } = await recordExecuted(course, name, executed, next)
  if (result.success) {
    course.begun = next
    progress.complete(name)
    return null
  }
  return signal.aborted ? interruption(signal, name) : stepFailure(name, result.error, cause)
}

/** Makes the result and keeps it; why the job ends without one, where that fails. */
async function conclude(course: Course): Promise<StepsEnd | Failure> {
  const { run } = course
  try {
    await bringModel(course)
    const value = run.conclude === null ? usualResult(course) : await run.conclude(concludeContext(course))
    const result = await run.keepResult(value)
    return { end: { state: 'succeeded', error: null, result }, cause: null }
  } catch (error) {
    if (isLeaseLost(error)) throw error
    return run.signal.aborted ? interruption(run.signal, null) : jobFailure(error, run.strict)
  }
}

/** What an action gives whose result is not made by a function of its own. */
function usualResult({ fields, records, run }: Course): JsonRecord {
  const { processedCount, results } = fields
  return {
    success: true,
    stepsExecuted: records.filter(({ result }) => !result.skipped).length,
    stepsTotal: run.steps.length,
    processedCount,
    ...(results.length > 0 ? { results } : {}),
    ...run.extension?.result(fields),
  }
}
