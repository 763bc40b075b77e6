import type { ActionContext } from '../../define/action-context.ts'
import type { ConcludeContext, CurrentStep, Step, StepContext, StepRecord } from '../../define/step.ts'
import { loadModelAgain, pickFields, restoreFields, type SharedFields, startFields } from './fields.ts'
import type { ContextPlace, StepRun } from './step-run.ts'

/** Where the steps of a job are: what was recorded before, and what this process has added. */
export interface Course {
  readonly run: StepRun
  readonly stepOf: ReadonlyMap<string, Step>
  /** The steps that have ended, in their order. */
  readonly records: StepRecord[]
  /** How often the steps that began in this process have been begun. */
  readonly attempts: Map<string, number>
  /** What went wrong in rollbacks. */
  readonly errors: string[]
  /** The step that this process has noted as the running one, along with the record of the one before. */
  begun: string | null
  fields: SharedFields
  /** Whether the model of an earlier process is to be loaded before the next step. */
  modelIsMissing: boolean
}

/** Takes up the steps of a job where they are. */
export function openCourse(run: StepRun): Course {
  const { order } = run
  const start = startFields(run.params, run.batchSize, run.extension?.fields ?? {})
  for (const { name } of order.steps) run.progress.complete(name)
  return {
    run,
    stepOf: new Map(run.steps.map((step) => [step.name, step])),
    records: [...order.steps],
    attempts: new Map(
      order.runningStep === null ? [] : [[order.runningStep.name, order.runningStep.attempt]],
    ),
    errors: [...(order.pendingEnd?.error.rollbackErrors ?? [])],
    begun: null,
    fields: order.fields === null ? start : restoreFields(order.fields, start),
    modelIsMissing: order.fields !== null,
  }
}

/** Whether a step has been recorded. */
export function isRecorded({ records }: Course, name: string): boolean {
  return records.some((record) => record.name === name)
}

/** Loads the model that an earlier process had loaded, once. */
export async function bringModel(course: Course): Promise<void> {
  if (!course.modelIsMissing) return
  await loadModelAgain(course.run.order.fields, course.fields, course.run.host)
  course.modelIsMissing = false
}

/**
 * Does something with the context of a step, and takes over what it has made of the shared fields, also where it fails.
 */
export async function inStep<Value>(
  course: Course,
  phase: 'execute' | 'rollback',
  step: CurrentStep,
  act: (context: StepContext) => Promise<Value>,
): Promise<Value> {
  const place = { phase, step }
  const whole = { ...shared(course, course.run.makeContext(place)), step, errors: course.errors }
  const context: StepContext = extended(course, whole, place)
  try {
    return await act(context)
  } finally {
    course.fields = pickFields(context, course.fields)
  }
}

/** The context of the conclusion. */
export function concludeContext(course: Course): ConcludeContext {
  const place = { phase: 'conclude' } as const
  return extended(course, shared(course, course.run.makeContext(place)), place)
}

function extended<Context extends ConcludeContext>(
  { run: { extension } }: Course,
  context: Context,
  place: ContextPlace,
): Context {
  return extension === null ? context : Object.assign(context, extension.members(context, place))
}

function shared(course: Course, context: ActionContext): ConcludeContext {
  return { ...context, ...course.fields, stepResults: [...course.records] }
}
