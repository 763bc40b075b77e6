import { describe, expect, it } from 'vitest'
import { defineStep, type Step } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { runSteps } from '../../../runtime/job/run/orchestrator.ts'
import { leftAsTheyAre } from '../../../runtime/job/run/rollback.ts'
import { recordOf } from '../store/test-store.ts'
import { openLedger } from './step-ledger.ts'
import { refuse, stepRun } from './step-run-maker.ts'

describe('a rollback', () => {
  it('rolls back in reverse, the failed step first, and keeps the original error as the cause', async () => {
    const ledger = await openLedger()
    const original = new Error('no such voice')
    const undone: unknown[] = []
    const rollback: Step['rollback'] = (context, result) =>
      void undone.push([context.step.name, result.rollbackData])
    const { end, cause } = await runSteps(
      await stepRun({
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
    expect(cause).toMatchObject({ code: 'STEP_FAILED', details: { step: 'd', cause: null } })
    expect(cause?.cause).toBe(original)
    expect(end).toEqual({
      state: 'failed',
      error: {
        code: 'STEP_FAILED',
        message: `Step "d" failed; the server's log has the cause.`,
        details: { step: 'd', cause: null },
        step: 'd',
        rollbackErrors: [],
      },
      result: null,
    })
    expect(ledger.writes.slice(-3)).toEqual(['roll back: failed', 'rolled back d', 'rolled back a'])
  })

  it('goes on with the rollback where one of them fails, and collects what went wrong', async () => {
    const ledger = await openLedger()
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
    const { end } = await runSteps(await stepRun({ ledger, steps }))
    const error = 'Rollback of step "b" failed: The file is empty.'
    expect(end.error?.rollbackErrors).toEqual([error])
    expect(seen).toEqual([
      ['c', []],
      ['b', []],
      ['a', [error]],
    ])
    expect(ledger.writes.slice(-2)).toEqual([`rolled back b: ${error}`, 'rolled back a'])
  })

  it('does not take up a rollback again that has lost its lease', async () => {
    const lost = new IsoplexError('LEASE_LOST', 'Another server goes on with the job.')
    const steps = [defineStep({ name: 'a', execute: refuse, rollback: () => Promise.reject(lost) })]
    await expect(runSteps(await stepRun({ steps }))).rejects.toBe(lost)
  })

  it('fails the next step where the model cannot be had any more, and rolls back without it', async () => {
    const ledger = await openLedger()
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
    void runSteps(await stepRun({ ledger, steps }))
    await expect.poll(() => ledger.writes.length).toBe(1)
    const forbidden = new IsoplexError('MODEL_FORBIDDEN', 'The model "digits" may not be used.', {
      details: { model: 'digits' },
    })
    const run = await stepRun({ ledger, steps })
    const host = { ...run.host, prepareModel: () => Promise.reject(forbidden) }
    const { end } = await runSteps({ ...run, host })
    expect(end.error).toMatchObject({
      message: 'Step "infer" failed: The model "digits" may not be used.',
      rollbackErrors: [
        'The model of the steps could not be loaded for the rollback: The model "digits" may not be used.',
      ],
    })
    expect(undone).toEqual([null])
  })

  it('says so where the action has lost a step that is to be rolled back', async () => {
    const ledger = await openLedger()
    await runSteps(await stepRun({ ledger, steps: [defineStep({ name: 'old', execute() {} })] }))
    const { end } = await runSteps(
      await stepRun({ ledger, steps: [defineStep({ name: 'new', execute: refuse })] }),
    )
    expect(end.error?.rollbackErrors).toEqual([
      'Rollback of step "old" failed: the action has no such step any more.',
    ])
  })
})

describe('steps that cannot be rolled back', () => {
  const steps = ['a', 'b', 'c'].map((name) => recordOf(name, { skipped: name === 'b' }))

  it('are named, the interrupted one first, and others are not', () => {
    const order = { steps, runningStep: { name: 'd', attempt: 1 }, rolledBack: ['c'], strict: false }
    expect(leftAsTheyAre(order, new IsoplexError('FUNCTION_BROKEN', 'It is gone.'))).toEqual([
      'Rollback of step "d" failed: It is gone.',
      'Rollback of step "a" failed: It is gone.',
    ])
    const recorded = { ...order, runningStep: { name: 'c', attempt: 2 }, rolledBack: [] }
    expect(leftAsTheyAre(recorded, new Error('/secret/path'))).toEqual([
      `Rollback of step "c" failed; the server's log has the cause.`,
      `Rollback of step "a" failed; the server's log has the cause.`,
    ])
  })
})
