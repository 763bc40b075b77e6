import { defineStep, type Step, type StepOutcome } from './step.ts'

/**
 * A step that reports when it begins and how it ends: the events `step_start` `{ step }` and `step_end`
 * `{ step, elapsed, success, skipped }`, with the time in seconds, also where it throws; and `step_rollback` `{ step }`
 * before its rollback. Its name is `logged_` and that of the step; in all else it is that step.
 */
export function loggedStep<Params = unknown>(step: Step<Params>): Step<Params> {
  const { name, rollback } = step
  return defineStep<Params>({
    ...step,
    name: `logged_${name}`,
    async execute(context) {
      const startMs = performance.now()
      const logEnd = ({ success, error, skipped = false }: StepOutcome): void => {
        const elapsed = Number(((performance.now() - startMs) / 1000).toFixed(3))
        context.log('step_end', { step: name, elapsed, success: success ?? !error, skipped })
      }
      context.log('step_start', { step: name })
      try {
        const outcome = await step.execute(context)
        logEnd(outcome ?? {})
        return outcome ?? {}
      } catch (error) {
        logEnd({ success: false })
        throw error
      }
    },
    ...(rollback && {
      rollback: (context, result) => {
        context.log('step_rollback', { step: name })
        return rollback.call(step, context, result)
      },
    }),
  })
}
