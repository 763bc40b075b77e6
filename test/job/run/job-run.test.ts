import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineAction } from '../../../runtime/define/action.ts'
import { defineFunction } from '../../../runtime/define/function.ts'
import { defineStep } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { JobEnd } from '../../../runtime/job/store.ts'
import { recordOf } from '../store/test-store.ts'
import { JobWorkshop } from './job-workshop.ts'

let workshop: JobWorkshop

beforeEach(async () => {
  workshop = await JobWorkshop.make()
})
afterEach(() => workshop[Symbol.asyncDispose]())

describe('an action without steps', () => {
  it('gets its parameters as a runner reads them, and gives its result', async () => {
    const action = defineAction({
      params: Type.Object({ count: Type.Integer(), name: Type.String({ default: 'Ada' }) }),
      result: Type.Object({ text: Type.String() }),
      execute: ({ params, jobId, attempt, principal }) => ({
        text: `${params.name} ${params.count} ${jobId} ${attempt} ${principal}`,
      }),
    })
    await workshop.run(action, { params: { count: 3 }, attempt: 2 })
    expect(workshop.host.end).toMatchObject({
      state: 'succeeded',
      error: null,
      result: { form: 'value', count: 1 },
    })
    expect(workshop.host.result).toBe('{"text":"Ada 3 job_test 2 tenant:test"}')
  })

  it('succeeds with nothing where it returns nothing', async () => {
    await workshop.run(defineAction({ execute: () => undefined }))
    expect(workshop.host.end).toEqual({ state: 'succeeded', error: null, result: null })
  })

  it('streams its result', async () => {
    async function* many(): AsyncGenerator<number> {
      for (let n = 0; n < 3; n += 1) yield n
    }
    await workshop.run(defineAction({ result: Type.Number(), execute: () => many() }))
    expect(workshop.host.end?.result).toMatchObject({ form: 'lines', count: 3 })
    expect(workshop.host.result).toBe('0\n1\n2\n')
  })

  it.each([
    [
      'parameters that do not fit',
      defineAction({ params: Type.Object({ n: Type.Number() }), execute: () => 1 }),
      { code: 'INPUT_INVALID' },
    ],
    [
      'a result that does not fit',
      defineAction({ result: Type.Number(), execute: () => 'x' as unknown as number }),
      { code: 'OUTPUT_INVALID' },
    ],
    [
      'an error of ours',
      defineAction({
        execute: () => {
          throw new IsoplexError('FETCH_FAILED', 'It is gone.', { details: { reason: 'status' } })
        },
      }),
      { code: 'FETCH_FAILED', message: 'It is gone.', details: { reason: 'status' } },
    ],
    ['a function that is no action', defineFunction({ handler: () => 1 }), { code: 'FUNCTION_BROKEN' }],
    [
      'infer without an infer',
      defineAction({ execute: ({ infer }) => infer([]) }),
      { message: 'TypeError: The action has no "infer" of its own; give infer() a "handle".' },
    ],
  ])('fails with %s', async (_, action, error) => {
    await workshop.run(action)
    expect(workshop.host.end).toMatchObject({ state: 'failed', error, result: null })
  })

  it.each([
    [true, 'Error: The secret is 7.'],
    [false, expect.not.stringContaining('secret')],
  ])('shows what it throws while developing only; the log has it (strict: %s)', async (strict, message) => {
    const action = defineAction({
      execute: () => {
        throw new Error('The secret is 7.')
      },
    })
    await workshop.run(action, { strict })
    expect(workshop.host.end?.error).toEqual({
      code: 'INTERNAL',
      message,
      step: null,
      rollbackErrors: [],
    })
    expect(workshop.lines.join('')).toContain('The secret is 7.')
  })

  it('fails by what is thrown where nobody listens', async () => {
    const action = defineAction({
      execute: () => {
        workshop.mishap.reject(new Error('In a timer.'))
        return new Promise(() => undefined)
      },
    })
    await workshop.run(action)
    expect(workshop.host.end).toMatchObject({ state: 'failed', error: { message: 'Error: In a timer.' } })
  })

  it.each([
    ['CANCELLED', 'cancelled'],
    ['DEADLINE_EXCEEDED', 'failed'],
  ] as const)('that hears %s has %s, whatever it returns or throws', async (code, state) => {
    for (const outcome of [() => 'part', () => Promise.reject(new Error('stopped'))]) {
      workshop.ending = new AbortController()
      const action = defineAction({
        execute: async ({ signal }) => {
          workshop.ending.abort(new IsoplexError(code, 'It is over.'))
          expect(signal.aborted).toBe(true)
          return outcome()
        },
      })
      await workshop.run(action)
      expect(workshop.host.end).toMatchObject({
        state,
        error: { code, message: 'It is over.' },
        result: null,
      })
    }
  })

  it('ends at once as it was to end, where only that is left', async () => {
    const error = { code: 'CANCELLED', message: 'Over.', step: null, rollbackErrors: [] } as const
    const action = defineAction({ execute: () => expect.unreachable() })
    await workshop.run(action, { pendingEnd: { state: 'cancelled', error } })
    expect(workshop.host.end).toEqual({ state: 'cancelled', error, result: null })
  })
})

describe('steps', () => {
  const first = defineStep({
    name: 'first',
    execute: async (context) => {
      context.results.push('one')
      context.setProgress(1, 2)
      await context.checkpoint.save('in first')
      return { data: { saved: context.checkpoint.value } }
    },
  })
  const second = defineStep({
    name: 'second',
    execute: (context) => ({ data: { before: context.checkpoint.value ?? null } }),
  })

  it('run one after the other, with a checkpoint each', async () => {
    await workshop.run(defineAction({ steps: [first, second] }))
    expect(workshop.host.end).toMatchObject({ state: 'succeeded' })
    expect(workshop.host.records.map(({ name, result }) => [name, result.data])).toEqual([
      ['first', { saved: 'in first' }],
      ['second', { before: null }],
    ])
    expect(JSON.parse(workshop.host.result ?? '')).toMatchObject({ success: true, results: ['one'] })
  })

  it('go on in the step that was running, with its checkpoint', async () => {
    const order = { runningStep: { name: 'second', attempt: 1 }, checkpoint: 'in second' }
    const timestamp = new Date(0).toISOString()
    const result = { success: true, data: {}, error: null, rollbackData: {}, skipped: false, timestamp }
    await workshop.run(defineAction({ steps: [first, second] }), {
      ...order,
      steps: [{ name: 'first', result }],
    })
    expect(workshop.host.records.map(({ name, result: { data } }) => [name, data])).toEqual([
      ['second', { before: 'in second' }],
    ])
  })

  it('are rolled back where one fails, or something is thrown where nobody listens', async () => {
    const undone: string[] = []
    const step = (name: string, execute: () => void) =>
      defineStep({ name, execute, rollback: ({ signal }) => void undone.push(`${name} ${signal.aborted}`) })
    const stuck = defineStep({
      name: 'stuck',
      execute: () => {
        workshop.mishap.reject(new Error('In a timer.'))
        return new Promise<void>(() => undefined)
      },
    })
    await workshop.run(defineAction({ steps: [step('a', () => undefined), stuck] }))
    expect(workshop.host.end).toMatchObject({
      state: 'failed',
      error: { code: 'STEP_FAILED', step: 'stuck' },
    })
    expect(undone).toEqual(['a false'])
  })

  it('are rolled back where the job is cancelled, without a signal that has fired', async () => {
    const undone: unknown[] = []
    const cancelled = defineStep({
      name: 'cancelled',
      execute: () => workshop.ending.abort(new IsoplexError('CANCELLED', 'Over.')),
      rollback: ({ signal }) => void undone.push(signal.aborted),
    })
    await workshop.run(defineAction({ steps: [cancelled, second] }))
    expect([workshop.host.end?.state, undone]).toEqual(['cancelled', [false]])
  })

  it('are rolled back where the result does not fit', async () => {
    const undone: string[] = []
    const step = defineStep({
      name: 'only',
      execute: () => undefined,
      rollback: () => void undone.push('only'),
    })
    await workshop.run(
      defineAction({ steps: [step], result: Type.Number(), conclude: () => 'x' as unknown as number }),
    )
    expect(workshop.host.end).toMatchObject({ state: 'failed', error: { code: 'OUTPUT_INVALID' } })
    expect(undone).toEqual(['only'])
  })

  it('are named where the action that could roll them back is not to be had', async () => {
    const error = { code: 'CANCELLED', message: 'Stop.', step: null, rollbackErrors: ['before'] } as const
    const steps = [recordOf('first'), recordOf('second')]
    const left = (name: string): string =>
      `Rollback of step "${name}" failed: Function "act" is no action (any more).`
    await workshop.run(defineFunction({ handler: () => 1 }), { steps })
    expect(workshop.host.end).toMatchObject({
      state: 'failed',
      error: { code: 'FUNCTION_BROKEN', rollbackErrors: [left('second'), left('first')] },
    })
    const pendingEnd = { state: 'cancelled', error } as const
    await workshop.run(defineFunction({ handler: () => 1 }), { steps, rolledBack: ['second'], pendingEnd })
    const rollbackErrors = ['before', left('first')]
    expect(workshop.host.end).toEqual({ ...pendingEnd, error: { ...error, rollbackErrors }, result: null })
  })
})

describe('a host', () => {
  it('that cannot take the result makes the job fail, and be rolled back', async () => {
    const { finish } = workshop.host
    const tooLarge = new IsoplexError('JOB_TOO_LARGE', 'Too much.', { details: { limitBytes: 1 } })
    Object.assign(workshop.host, {
      finish: (end: JobEnd) => (end.state === 'succeeded' ? Promise.reject(tooLarge) : finish(end)),
    })
    await workshop.run(defineAction({ execute: () => 1 }))
    expect(workshop.host.end).toMatchObject({ state: 'failed', error: { code: 'JOB_TOO_LARGE' } })
    const step = defineStep({ name: 'only', execute: () => undefined, rollback: () => undefined })
    await workshop.run(defineAction({ steps: [step] }))
    expect(workshop.host.end).toMatchObject({ state: 'failed', error: { code: 'JOB_TOO_LARGE' } })
    expect(workshop.host.rolledBack).toEqual(['only'])
  })

  it('has had every report before it is told the end', async () => {
    const { finish } = workshop.host
    let reported = 0
    Object.assign(workshop.host, {
      finish: (end: JobEnd) => {
        reported = workshop.host.events.length
        return finish(end)
      },
    })
    for (const fails of [false, true]) {
      const action = defineAction({
        execute: ({ log }) => {
          for (let index = 0; index < 50; index += 1) log('told', { index })
          if (fails) throw new Error('failed')
        },
      })
      await workshop.run(action)
      expect(reported).toBe(fails ? 100 : 50)
    }
  })

  it('that cannot record a step is told of no end, so that the job is gone on with', async () => {
    const broken = new IsoplexError('INTERNAL', 'The thread of a service has ended.')
    Object.assign(workshop.host, { recordStep: () => Promise.reject(broken) })
    const step = defineStep({ name: 'only', execute: () => undefined })
    await expect(workshop.run(defineAction({ steps: [step] }))).rejects.toBe(broken)
    expect(workshop.host.end).toBeNull()
  })

  it('whose lease is lost is told nothing more', async () => {
    const lost = new IsoplexError('LEASE_LOST', 'Another server goes on with it.')
    Object.assign(workshop.host, { saveCheckpoint: () => Promise.reject(lost) })
    const action = defineAction({ execute: ({ checkpoint }) => checkpoint.save(1) })
    await expect(workshop.run(action)).rejects.toBe(lost)
    expect(workshop.host.end).toBeNull()
  })
})
