import type { ActionContext } from './action-context.ts'
import type { Awaitable, ModelInfo } from './context.ts'
import { assertCallable } from './options.ts'

/** Plain data that JSON can carry, by names. */
export type JsonRecord = Readonly<Record<string, unknown>>

/** What has become of a step. Plain data: it is recorded with the job, once, and survives the process. */
export interface StepResult {
  readonly success: boolean
  /** What the step leaves for later ones. */
  readonly data: JsonRecord
  /** Why it failed; `null` where it did not. Whoever submitted the job reads it. */
  readonly error: string | null
  /** What its rollback needs to know. */
  readonly rollbackData: JsonRecord
  readonly skipped: boolean
  /** When it ended, as ISO 8601 in UTC. */
  readonly timestamp: string
}

/** What a step may return: as much of a result as it has to say. Nothing is a success. */
export type StepOutcome = Partial<Omit<StepResult, 'timestamp'>>

/** A step that has been recorded. */
export interface StepRecord {
  readonly name: string
  readonly result: StepResult
}

/** The step that runs. */
export interface CurrentStep {
  readonly name: string
  /**
   * How often it has been begun, this time included: beyond 1 it may have done some of its work before. In a rollback,
   * as far as this process knows.
   */
  readonly attempt: number
}

/** What the steps of one job hand on to each other, beside their results. Recorded with each step, as JSON. */
export interface StepFields {
  /** The model that the job is about: the parameter `modelId`, `model_id` or `model` at the start. */
  modelId: string | null
  /** Its metadata, once a step has loaded it; loaded again where the job goes on in another process. */
  model: ModelInfo | null
  /** The folder of its files on this machine. */
  modelPath: string | null
  requests: unknown[]
  results: unknown[]
  batchSize: number
  processedCount: number
}

/** What the conclusion of an action gets once all its steps have ended: the context, and the fields they shared. */
export interface ConcludeContext<Params = unknown, Input = unknown, Output = unknown>
  extends ActionContext<Params, Input, Output>,
    StepFields {
  /** The steps that have ended, in their order. */
  readonly stepResults: readonly StepRecord[]
}

/** What a step gets: the action's context, and the fields that the steps of a job share. */
export interface StepContext<Params = unknown, Input = unknown, Output = unknown>
  extends ConcludeContext<Params, Input, Output> {
  readonly step: CurrentStep
  /** What went wrong in rollbacks so far. */
  readonly errors: readonly string[]
}

/** What {@link defineStep} takes. */
export interface StepDefinition<Params, Input = unknown, Output = unknown> {
  /** Unique among the steps of an action: by it the step is recorded. */
  readonly name: string
  /** Its share of the overall progress, against the weights of the others. @default 1 */
  readonly weight?: number
  /** Whether there is nothing to do; asked right before the step would run. @default never */
  readonly canSkip?: (context: StepContext<Params, Input, Output>) => Awaitable<boolean>
  /**
   * Does the work. What it throws, or an outcome with `success: false`, fails the job. A step may run again after a
   * process died in the middle of it: `context.step.attempt` says so.
   */
  readonly execute: (
    context: StepContext<Params, Input, Output>,
  ) => Awaitable<StepOutcome | undefined> | Awaitable<void>
  /** Undoes what the step did, also where it failed half way; may run again after a death. @default nothing */
  readonly rollback?: (context: StepContext<Params, Input, Output>, result: StepResult) => Awaitable<void>
}

/** A step of an action. */
export interface Step<Params = unknown, Input = unknown, Output = unknown>
  extends StepDefinition<Params, Input, Output> {
  readonly weight: number
}

const nameForm = /^[\w.-]{1,128}$/

/**
 * Defines a step of an action.
 *
 * @example
 * const fetchArchive = defineStep({
 *   name: 'fetch',
 *   weight: 0.2,
 *   async execute({ fetchInput, files }) {
 *     await files.write('archive.zip', (await fetchInput('https://example.com/a.zip')).bytes)
 *   },
 * })
 *
 * @throws {TypeError} where the name is not 1 to 128 letters, digits and `_ . -`, the weight is below 0 or no number,
 * or one of the functions is none.
 */
export function defineStep<Params = unknown, Input = unknown, Output = unknown>(
  definition: StepDefinition<Params, Input, Output>,
): Step<Params, Input, Output> {
  assertOwnMembers(definition)
  const step = { ...definition, weight: definition.weight ?? 1 }
  assertStep(step)
  return Object.freeze(step)
}

/** Refuses what is no step, as the compiler would. @throws {TypeError} as {@link defineStep}. */
export function assertStep<Params, Input, Output>(step: Step<Params, Input, Output>): void {
  const { name, weight, canSkip, execute, rollback } = step
  if (typeof name !== 'string' || !nameForm.test(name)) {
    throw new TypeError(`"name" must be 1 to 128 letters, digits and _ . - ; got ${JSON.stringify(name)}.`)
  }
  if (!(Number.isFinite(weight) && weight >= 0)) {
    throw new TypeError(`"weight" must be a number from 0; got ${weight}.`)
  }
  assertCallable('execute', execute)
  if (canSkip !== undefined) assertCallable('canSkip', canSkip)
  if (rollback !== undefined) assertCallable('rollback', rollback)
  assertOwnMembers(step)
}

/** Steps are copied and wrapped as plain objects: what a step has from a class would be lost without a word. */
function assertOwnMembers<Params, Input, Output>(step: StepDefinition<Params, Input, Output>): void {
  for (const member of ['name', 'weight', 'canSkip', 'execute', 'rollback'] as const) {
    if (step[member] === undefined || Object.hasOwn(step, member)) continue
    throw new TypeError(`"${member}" must be a member of the step itself, and not of its class.`)
  }
}
