import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineStep, type Step, type StepContext } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { runSteps } from '../../../runtime/job/run/orchestrator.ts'
import type { StepsEnd } from '../../../runtime/job/run/step-run.ts'
import { StepLedger } from './step-ledger.ts'
import { stepRun } from './step-run-maker.ts'

describe('runSteps', () => {
  it('runs the steps in their order, records each with the shared fields, and gives the usual result', async () => {
    const ledger = new StepLedger()
    const { end, cause } = await runSteps(
      stepRun({
        ledger,
        params: { model_id: 34 },
        steps: [
          defineStep({ name: 'fetch', execute: (context) => void context.requests.push('a', 'b') }),
          defineStep({ name: 'idle', canSkip: () => true, execute: () => expect.unreachable() }),
          defineStep({
            name: 'infer',
            execute(context) {
              expect(context.modelId).toBe('34')
              expect(context.step).toEqual({ name: 'infer', attempt: 1 })
              expect(context.stepResults.map(({ name, result }) => [name, result.skipped])).toEqual([
                ['fetch', false],
                ['idle', true],
              ])
              context.results.push(...context.requests)
              context.processedCount += 2
            },
          }),
        ],
      }),
    )
    expect(cause).toBeNull()
    expect(end).toEqual({ state: 'succeeded', error: null, result: expect.anything() })
    expect(kept(end.result)).toEqual({
      success: true,
      stepsExecuted: 2,
      stepsTotal: 3,
      processedCount: 2,
      results: ['a', 'b'],
    })
    expect(ledger.writes).toEqual(['record fetch', 'record idle', 'record infer'])
  })

  it('leaves out results where there are none', async () => {
    const { end } = await runSteps(stepRun({ steps: [defineStep({ name: 'a', execute() {} })] }))
    expect(kept(end.result)).toEqual({ success: true, stepsExecuted: 1, stepsTotal: 1, processedCount: 0 })
  })

  it('rolls back in reverse, the failed step first, and keeps the original error as the cause', async () => {
    const ledger = new StepLedger()
    const original = new Error('no such voice')
    const undone: unknown[] = []
    const rollback: Step['rollback'] = (context, result) =>
      void undone.push([context.step.name, result.rollbackData])
    const { end, cause } = await runSteps(
      stepRun({
        ledger,
        steps: [
          defineStep({ name: 'a', execute: () => ({ rollbackData: { row: 1 } }), rollback }),
          defineStep({ name: 'b', execute() {} }),
          defineStep({ name: 'c', canSkip: () => true, execute() {}, rollback }),
          defineStep({
            name: 'd',
            execute() {
              throw original
            },
            rollback,
          }),
          defineStep({ name: 'e', execute: () => expect.unreachable(), rollback }),
        ],
      }),
    )
    expect(undone).toEqual([
      ['d', {}],
      ['a', { row: 1 }],
    ])
    expect(cause).toMatchObject({ code: 'STEP_FAILED', details: { step: 'd' } })
    expect(cause?.cause).toBe(original)
    expect(end).toEqual({
      state: 'failed',
      error: {
        code: 'STEP_FAILED',
        message: `Step "d" failed; the server's log has the cause.`,
        details: { step: 'd' },
        step: 'd',
        rollbackErrors: [],
      },
      result: null,
    })
    expect(ledger.writes.slice(-3)).toEqual(['roll back: failed', 'rolled back d', 'rolled back a'])
  })

  it.each([
    ['an outcome that says so', { execute: () => ({ success: false, error: 'too quiet' }) }, 'too quiet'],
    ['an outcome with an error alone', { execute: () => ({ error: 'too quiet' }) }, 'too quiet'],
    ['an error of ours', { execute: refuse }, 'The file is empty.'],
    ['canSkip', { canSkip: refuse, execute: () => expect.unreachable() }, 'The file is empty.'],
  ])('fails a step by %s, and tells the submitter why', async (_, functions, reason) => {
    const undone: string[] = []
    const steps = [
      defineStep({ name: 'a', execute() {}, rollback: () => void undone.push('a') }),
      defineStep({ name: 'b', ...functions, rollback: () => void undone.push('b') }),
    ]
    const { end } = await runSteps(stepRun({ steps }))
    expect(end.error).toMatchObject({ code: 'STEP_FAILED', message: `Step "b" failed: ${reason}`, step: 'b' })
    expect(undone).toEqual(['b', 'a'])
  })

  it('shows any error while developing, and hides those that are not ours otherwise', async () => {
    const steps = [
      defineStep({
        name: 'a',
        execute() {
          throw new RangeError('/home/ada is full')
        },
        rollback() {
          throw new Error('no key sk-1')
        },
      }),
    ]
    const shown = await runSteps(stepRun({ steps, strict: true }))
    expect(shown.end.error?.message).toBe('Step "a" failed: RangeError: /home/ada is full')
    expect(shown.end.error?.rollbackErrors).toEqual(['Rollback of step "a" failed: Error: no key sk-1'])
    const hidden = await runSteps(stepRun({ steps }))
    expect(JSON.stringify(hidden.end)).not.toMatch(/ada|sk-1/)
    expect(hidden.end.error?.rollbackErrors).toEqual([
      `Rollback of step "a" failed; the server's log has the cause.`,
    ])
  })

  it('goes on with the rollback where one of them fails, and collects what went wrong', async () => {
    const ledger = new StepLedger()
    const seen: unknown[] = []
    const steps = ['a', 'b', 'c'].map((name) =>
      defineStep({
        name,
        execute: () => ({ success: name !== 'c', error: name === 'c' ? 'bad' : null }),
        rollback(context) {
          seen.push([name, [...context.errors]])
          if (name === 'b') refuse()
        },
      }),
    )
    const { end } = await runSteps(stepRun({ ledger, steps }))
    const error = 'Rollback of step "b" failed: The file is empty.'
    expect(end.error?.rollbackErrors).toEqual([error])
    expect(seen).toEqual([
      ['c', []],
      ['b', []],
      ['a', [error]],
    ])
    expect(ledger.writes.slice(-2)).toEqual([`rolled back b: ${error}`, 'rolled back a'])
  })

  it.each([
    ['a typed array', { mask: new Float32Array(2) }, 'a Float32Array in results[0].mask'],
    ['a function', () => 1, 'a value of type function in results[0]'],
    ['a number that is none', [Number.NaN], 'the number NaN in results[0][0]'],
  ])('fails a step that leaves %s in the shared fields', async (_, value, found) => {
    const ledger = new StepLedger()
    const steps = [
      defineStep({ name: 'a', execute: (context) => void context.requests.push(1) }),
      defineStep({ name: 'b', execute: (context) => void context.results.push(value) }),
    ]
    const { end } = await runSteps(stepRun({ ledger, steps, strict: true }))
    expect(end.error?.message).toContain(`Step "b" left ${found}, which JSON cannot carry.`)
    expect(end.error?.message).toContain('files.write()')
    expect(ledger.order().fields).toMatchObject({ requests: [], results: [] })
  })

  it.each(['data', 'rollbackData'])('fails a step whose %s JSON cannot carry', async (name) => {
    const steps = [defineStep({ name: 'a', execute: () => ({ [name]: { at: new Date(0) } }) })]
    const { end } = await runSteps(stepRun({ steps, strict: true }))
    expect(end.error?.message).toContain(`Step "a" left a Date in ${name}.at`)
  })

  it('fails a step that leaves more than there is room for, and rolls it back by what it left', async () => {
    const ledger = new StepLedger()
    const undone: unknown[] = []
    const steps = [
      defineStep({
        name: 'a',
        execute(context) {
          context.results.push('x'.repeat(1000))
          return { rollbackData: { row: 1 } }
        },
        rollback: (_, result) => void undone.push(result.rollbackData),
      }),
    ]
    const { end } = await runSteps({ ...stepRun({ ledger, steps }), host: ledger.host(() => true, 500) })
    expect(end.error?.message).toBe('Step "a" failed: The step leaves too much.')
    expect(undone).toEqual([{ row: 1 }])
    expect(ledger.order().steps.map(({ result }) => result.success)).toEqual([false])
  })

  it('rolls back where the conclusion fails, or its result cannot be kept', async () => {
    const undone: string[] = []
    const steps = [defineStep({ name: 'a', execute() {}, rollback: () => void undone.push('a') })]
    const failed = await runSteps(stepRun({ steps, conclude: refuse }))
    expect(failed.end).toMatchObject({ state: 'failed', error: { code: 'JOB_ENDED', step: null } })
    const refused = await runSteps({ ...stepRun({ steps }), keepResult: async () => refuse() })
    expect(refused.end).toMatchObject({ state: 'failed', error: { message: 'The file is empty.' } })
    expect(undone).toEqual(['a', 'a'])
  })

  it('gives the conclusion the fields and the results of the steps', async () => {
    const { end } = await runSteps(
      stepRun({
        steps: [defineStep({ name: 'a', execute: () => ({ data: { sum: 3 } }) })],
        conclude: (context) => ({
          sum: context.stepResults[0]?.result.data.sum,
          batchSize: context.batchSize,
          hasStep: 'step' in context,
        }),
      }),
    )
    expect(kept(end.result)).toEqual({ sum: 3, batchSize: 4, hasStep: false })
  })

  it('ends at once where the lease is lost: neither a rollback nor an end', async () => {
    const lost = new IsoplexError('LEASE_LOST', 'Another server goes on with the job.')
    const undone: string[] = []
    const ledger = new StepLedger()
    const execute = (): never => {
      throw lost
    }
    const steps = [
      defineStep({ name: 'a', execute() {}, rollback: () => void undone.push('a') }),
      defineStep({ name: 'b', execute }),
    ]
    await expect(runSteps(stepRun({ ledger, steps }))).rejects.toBe(lost)
    const host = { ...new StepLedger().host(), recordStep: execute }
    await expect(runSteps({ ...stepRun({ steps }), host })).rejects.toBe(lost)
    await expect(runSteps(stepRun({ steps: steps.slice(0, 1), conclude: execute }))).rejects.toBe(lost)
    expect(undone).toEqual([])
    expect(ledger.writes).toEqual(['record a'])
  })

  it('does not take up a rollback again that has lost its lease', async () => {
    const lost = new IsoplexError('LEASE_LOST', 'Another server goes on with the job.')
    const steps = [defineStep({ name: 'a', execute: refuse, rollback: () => Promise.reject(lost) })]
    await expect(runSteps(stepRun({ steps }))).rejects.toBe(lost)
  })
})

describe('runSteps, told to end', () => {
  it('cancels in the middle of a step, whose rollback runs first and is not told to end as well', async () => {
    const ending = new AbortController()
    const undone: unknown[] = []
    const steps = [
      defineStep({ name: 'a', execute() {}, rollback: () => void undone.push('a') }),
      defineStep({
        name: 'b',
        execute(context) {
          ending.abort(new IsoplexError('CANCELLED', 'The job was cancelled.'))
          context.signal.throwIfAborted()
        },
        rollback: (context) => void undone.push(['b', context.signal.aborted]),
      }),
    ]
    const { end } = await runSteps(stepRun({ steps, signal: ending.signal }))
    expect(end).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED', step: 'b' } })
    expect(undone).toEqual([['b', false], 'a'])
  })

  it('begins no further step, and rolls back none that it did not begin', async () => {
    const ending = new AbortController()
    const ledger = new StepLedger()
    const undone: string[] = []
    const rollback: Step['rollback'] = ({ step }) => void undone.push(step.name)
    const steps = [
      defineStep({ name: 'a', execute: () => ending.abort(), rollback }),
      defineStep({ name: 'b', execute: () => expect.unreachable(), rollback }),
    ]
    const { end } = await runSteps(stepRun({ ledger, steps, signal: ending.signal }))
    expect(end.state).toBe('cancelled')
    expect(undone).toEqual(['a'])
    expect(ledger.order()).toMatchObject({ runningStep: null, steps: [{ name: 'a' }] })
  })

  it('fails where the time is over', async () => {
    const signal = AbortSignal.abort(new IsoplexError('DEADLINE_EXCEEDED', 'The time of the job is over.'))
    const { end } = await runSteps(stepRun({ steps: [defineStep({ name: 'a', execute() {} })], signal }))
    expect(end).toMatchObject({ state: 'failed', error: { code: 'DEADLINE_EXCEEDED', step: null } })
  })
})

describe('runSteps, going on with a job', () => {
  it('tells a step that it was begun before, and gives it what was recorded', async () => {
    const ledger = new StepLedger()
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
    void runSteps(stepRun({ ledger, steps }))
    await expect.poll(() => seen.length).toBe(1)
    isFirst = false
    await runSteps(stepRun({ ledger, steps }))
    expect(seen[1]).toMatchObject({
      step: { name: 'infer', attempt: 2 },
      model: { id: 'digits', version: '1', path: '/models/digits' },
      modelPath: '/models/digits',
      requests: [1],
      stepResults: [{ name: 'load', result: { data: { loaded: true } } }],
    })
  })

  it('keeps neither the metadata of the model nor its folder', async () => {
    const ledger = new StepLedger()
    const execute = (context: StepContext): void => {
      context.model = { id: 'digits', version: '3', path: '/first', file: 'https://a/?signature=secret' }
    }
    await runSteps(stepRun({ ledger, steps: [defineStep({ name: 'load', execute })] }))
    expect(JSON.stringify(ledger.order())).not.toMatch(/secret|first/)
  })

  it('fails the next step where the model cannot be had any more, and rolls back without it', async () => {
    const ledger = new StepLedger()
    const undone: unknown[] = []
    const steps = [
      defineStep({
        name: 'load',
        execute: (context) => {
          context.model = { id: 'digits', version: '3', path: '/first' }
        },
        rollback: (context) => void undone.push(context.model),
      }),
      defineStep({ name: 'infer', execute: () => new Promise<never>(() => {}) }),
    ]
    void runSteps(stepRun({ ledger, steps }))
    await expect.poll(() => ledger.writes.length).toBe(1)
    const forbidden = new IsoplexError('MODEL_FORBIDDEN', 'The model "digits" may not be used.', {
      details: { model: 'digits' },
    })
    const host = { ...ledger.host(), prepareModel: () => Promise.reject(forbidden) }
    const { end } = await runSteps({ ...stepRun({ ledger, steps }), host })
    expect(end.error).toMatchObject({
      message: 'Step "infer" failed: The model "digits" may not be used.',
      rollbackErrors: [
        'The model of the steps could not be loaded for the rollback: The model "digits" may not be used.',
      ],
    })
    expect(undone).toEqual([null])
  })

  it('says so where the action has lost a step that is to be rolled back', async () => {
    const ledger = new StepLedger()
    await runSteps(stepRun({ ledger, steps: [defineStep({ name: 'old', execute() {} })] }))
    const { end } = await runSteps(stepRun({ ledger, steps: [defineStep({ name: 'new', execute: refuse })] }))
    expect(end.error?.rollbackErrors).toEqual([
      'Rollback of step "old" failed: the action has no such step any more.',
    ])
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
    )
  })

  it('rolls back exactly what was recorded and not skipped, whenever it is cancelled and its processes die', async () => {
    await fc.assert(
      fc.asyncProperty(plans, deaths, fc.nat(30), async (plan, lives, cancelAt) => {
        const { ledger, end, undone } = await runThrough(plan, lives, cancelAt)
        const recorded = ledger.order().steps
        expect(recorded.map(({ name }) => name)).toEqual(plan.slice(0, recorded.length).map(nameOf))
        const expected =
          end.state === 'succeeded'
            ? []
            : recorded.filter(({ result }) => !result.skipped).map(({ name }) => name)
        expect(ledger.order().rolledBack).toEqual(expected.toReversed())
        expect(new Set(undone)).toEqual(new Set(expected))
      }),
    )
  })
})

function refuse(): never {
  throw new IsoplexError('JOB_ENDED', 'The file is empty.', { details: { state: 'failed', code: null } })
}

/** What the maker of runs has kept in the place of a result. */
function kept(result: StepsEnd['end']['result']): unknown {
  return JSON.parse(result?.path ?? 'null')
}

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
  const ledger = new StepLedger()
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
    const run = { ...stepRun({ ledger, steps, signal: ending.signal }), host: ledger.host(pass) }
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
