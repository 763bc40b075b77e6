import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineStep, type Step, type StepContext } from '../../../runtime/define/step.ts'
import { runSteps } from '../../../runtime/job/run/orchestrator.ts'
import type { StepsEnd } from '../../../runtime/job/run/step-run.ts'
import { openLedger, type StepLedger } from './step-ledger.ts'
import { stepRun } from './step-run-maker.ts'

describe('a job whose process died', () => {
  it('tells a step that it was begun before, and gives it what was recorded', async () => {
    const ledger = await openLedger()
    let isFirst = true
    const seen: StepContext[] = []
    const steps = [
      defineStep({
        name: 'load',
        async execute(context) {
          context.model = { id: 'digits', version: '3', path: '/first' }
          context.modelPath = '/first'
          context.requests.push(1)
          return { data: { loaded: true } }
        },
      }),
      defineStep({
        name: 'infer',
        async execute(context) {
          seen.push(context)
          if (isFirst) await new Promise<never>(() => {})
        },
      }),
    ]
    void runSteps(await stepRun({ ledger, steps }))
    await expect.poll(() => seen.length).toBe(1)
    isFirst = false
    await runSteps(await stepRun({ ledger, steps }))
    expect(seen[1]).toMatchObject({
      step: { name: 'infer', attempt: 2 },
      model: { id: 'digits', version: '1', path: '/models/digits' },
      modelPath: '/models/digits',
      requests: [1],
      stepResults: [{ name: 'load', result: { data: { loaded: true } } }],
    })
  })

  it('keeps neither the metadata of the model nor its folder', async () => {
    const ledger = await openLedger()
    const execute = (context: StepContext): void => {
      context.model = { id: 'digits', version: '3', path: '/first', file: 'https://a/?signature=secret' }
    }
    await runSteps(await stepRun({ ledger, steps: [defineStep({ name: 'load', execute })] }))
    expect(JSON.stringify((await ledger.take()).order)).not.toMatch(/secret|first/)
  })

  it('comes to the same end wherever its processes die: each step recorded once, what ran rolled back', async () => {
    await fc.assert(
      fc.asyncProperty(plans, deaths, async (plan, lives) => {
        const { ledger, end, undone } = await runThrough(plan, lives, null)
        const failing = plan.findIndex(({ skip, fails }) => skip === 'throws' || (fails && skip === 'no'))
        const ran = failing === -1 ? plan : plan.slice(0, failing + 1)
        const names = ran.map(nameOf)
        const rolledBack = ran.map((step, index) => (step.skip === 'yes' ? null : nameOf(step, index)))
        expect(end.state).toBe(failing === -1 ? 'succeeded' : 'failed')
        expect(ledger.writes.map((write) => write.split(':')[0])).toEqual([
          ...names.map((name) => `record ${name}`),
          ...(failing === -1
            ? []
            : [
                'roll back',
                ...rolledBack.toReversed().flatMap((name) => (name === null ? [] : [`rolled back ${name}`])),
              ]),
        ])
        expect(new Set(undone)).toEqual(
          new Set(failing === -1 ? [] : rolledBack.filter((name) => name !== null)),
        )
      }),
      { numRuns: 150 },
    )
  })

  it('rolls back exactly what was recorded and not skipped, whenever it is cancelled and its processes die', async () => {
    await fc.assert(
      fc.asyncProperty(plans, deaths, fc.nat(30), async (plan, lives, cancelAt) => {
        const { ledger, end, undone } = await runThrough(plan, lives, cancelAt)
        const { steps: recorded, rolledBack } = (await ledger.take()).order
        expect(recorded.map(({ name }) => name)).toEqual(plan.slice(0, recorded.length).map(nameOf))
        const expected =
          end.state === 'succeeded'
            ? []
            : recorded.filter(({ result }) => !result.skipped).map(({ name }) => name)
        expect(new Set(rolledBack)).toEqual(new Set(expected))
        const inOrder = ledger.writes.flatMap((write) => /^rolled back (\S+?)(?::|$)/.exec(write)?.[1] ?? [])
        expect(inOrder).toEqual(expected.toReversed())
        expect(new Set(undone)).toEqual(new Set(expected))
      }),
      { numRuns: 150 },
    )
  })
})

/** What a step of a random action does. */
interface PlannedStep {
  readonly skip: 'no' | 'yes' | 'throws'
  readonly fails: boolean
  readonly rollbackFails: boolean
}
type Plan = readonly PlannedStep[]

const often = fc.nat(9)
const plans: fc.Arbitrary<Plan> = fc.array(
  fc.record({
    skip: often.map((n) => (n < 7 ? 'no' : n < 9 ? 'yes' : 'throws')),
    fails: often.map((n) => n === 0),
    rollbackFails: often.map((n) => n < 2),
  }),
  { minLength: 1, maxLength: 8 },
)

/** After how many moments each process dies. */
const deaths = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 })

function nameOf(_: unknown, index: number): string {
  return `step-${index}`
}

/** Runs a plan in one process after another: each dies after so many moments, but for the last. */
async function runThrough(
  plan: Plan,
  lives: readonly number[],
  cancelAt: number | null,
): Promise<{ ledger: StepLedger; end: StepsEnd['end']; undone: readonly string[] }> {
  const ledger = await openLedger()
  const undone: string[] = []
  const ending = new AbortController()
  let moments = 0
  for (const life of [...lives, Number.POSITIVE_INFINITY]) {
    let left = life
    const death = Promise.withResolvers<null>()
    const pass = (): boolean => {
      moments += 1
      if (moments === cancelAt) ending.abort()
      left -= 1
      if (left === 0) death.resolve(null)
      return left > 0
    }
    const moment = async (): Promise<void> => {
      if (!pass()) await new Promise<never>(() => {})
    }
    const steps = stepsOf(plan, moment, undone)
    const run = await stepRun({ ledger, steps, signal: ending.signal, lives: pass })
    const ended = await Promise.race([runSteps(run), death.promise])
    if (ended !== null) return { ledger, end: ended.end, undone }
  }
  throw new Error('The last process has no end.')
}

function stepsOf(plan: Plan, moment: () => Promise<void>, undone: string[]): readonly Step[] {
  return plan.map(({ skip, fails, rollbackFails }, index) =>
    defineStep({
      name: nameOf(null, index),
      canSkip() {
        if (skip === 'throws') throw new Error('canSkip')
        return skip === 'yes'
      },
      async execute({ signal }) {
        await moment()
        signal.throwIfAborted()
        if (fails) throw new Error('execute')
      },
      async rollback({ step }) {
        await moment()
        undone.push(step.name)
        if (rollbackFails) throw new Error('rollback')
      },
    }),
  )
}
