import type { StepContext, StepOutcome, StepResult } from '../../runtime/define/step.ts'

/** A context of which a step sees no more than its log, and the events that it logs. */
export function recordEvents(): { readonly context: StepContext; readonly events: readonly unknown[] } {
  const events: unknown[] = []
  const log: StepContext['log'] = (event, data) => void events.push([event, data])
  return { context: { log, requests: [] as unknown[] } as StepContext, events }
}

/** A result as a step's outcome becomes one. */
export function resultOf(outcome: StepOutcome): StepResult {
  return { success: true, data: {}, error: null, rollbackData: {}, skipped: false, timestamp: '', ...outcome }
}
