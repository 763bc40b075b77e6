import type { ActionOrder } from '../message.ts'
import type { TakenJob } from '../store.ts'
import type { ActionHere, OrderDefaults } from './crew.ts'

/** What an order is made of, beside what all orders of a crew share. */
export interface OrderParts {
  readonly taken: TakenJob
  readonly action: ActionHere
}

/** Makes the order by which a process goes on with a job. `own` is what this one process has for itself. */
export function createActionOrder(
  { taken, action, session, inputHosts, maxJobBytes, strict, logLevel }: OrderParts & OrderDefaults,
  own: Pick<ActionOrder, 'pendingEnd' | 'workDirectory' | 'inputPath' | 'modelId'>,
): ActionOrder {
  const { job, head, steps, rolledBack, fields, runningStep, checkpoint } = taken
  return {
    jobId: job.id,
    attempt: job.attempt,
    principal: job.principal,
    function: job.function,
    bundlePath: action.bundlePath,
    head,
    steps,
    rolledBack,
    fields,
    runningStep,
    checkpoint,
    overall: job.progress.overall,
    metrics: job.metrics,
    session,
    inputHosts,
    maxJobBytes,
    strict,
    logLevel,
    ...own,
  }
}
