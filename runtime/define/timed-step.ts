import { defineStep, type Step } from './step.ts'

/**
 * A step that leaves among its data how long it took: `durationSeconds`, to the microsecond. Its name is `timed_` and
 * that of the step; in all else it is that step.
 */
export function timedStep<Params = unknown>(step: Step<Params>): Step<Params> {
  return defineStep<Params>({
    ...step,
    name: `timed_${step.name}`,
    async execute(context) {
      const startMs = performance.now()
      const outcome = (await step.execute(context)) ?? {}
      const durationSeconds = Number(((performance.now() - startMs) / 1000).toFixed(6))
      return { ...outcome, data: { ...outcome.data, durationSeconds } }
    },
  })
}
