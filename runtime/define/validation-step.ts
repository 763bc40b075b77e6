import type { Awaitable } from './context.ts'
import { defineStep, type Step, type StepContext } from './step.ts'

/**
 * A step that fails with a reason where something is not as it has to be.
 *
 * @param validate gives the reason, which whoever submitted the job reads; `null` where all is well
 *
 * @example
 * validationStep(({ requests }) => (requests.length === 0 ? 'The archive holds no sound.' : null))
 */
export function validationStep<Params = unknown>(
  validate: (context: StepContext<Params>) => Awaitable<string | null>,
  options: { readonly name?: string; readonly weight?: number } = {},
): Step<Params> {
  return defineStep<Params>({
    name: 'validate',
    weight: 0.05,
    ...options,
    async execute(context) {
      const reason = await validate(context)
      return { success: reason === null, error: reason }
    },
  })
}
