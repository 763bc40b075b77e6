import { describe, expect, it } from 'vitest'
import { defineStep } from '../../../runtime/define/step.ts'
import { runSteps } from '../../../runtime/job/run/orchestrator.ts'
import { storeLimits } from '../store/test-store.ts'
import { openLedger } from './step-ledger.ts'
import { refuse, stepRun } from './step-run-maker.ts'

describe('a step', () => {
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
    const { end } = await runSteps(await stepRun({ steps }))
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
    const shown = await runSteps(await stepRun({ steps, strict: true }))
    expect(shown.end.error?.message).toBe('Step "a" failed: RangeError: /home/ada is full')
    expect(shown.end.error?.rollbackErrors).toEqual(['Rollback of step "a" failed: Error: no key sk-1'])
    const hidden = await runSteps(await stepRun({ steps }))
    expect(JSON.stringify(hidden.end)).not.toMatch(/ada|sk-1/)
    expect(hidden.end.error?.rollbackErrors).toEqual([
      `Rollback of step "a" failed; the server's log has the cause.`,
    ])
  })

  it.each([
    ['a typed array', { mask: new Float32Array(2) }, 'a Float32Array in results[0].mask'],
    ['a function', () => 1, 'a value of type function in results[0]'],
    ['a number that is none', [Number.NaN], 'the number NaN in results[0][0]'],
  ])('fails a step that leaves %s in the shared fields', async (_, value, found) => {
    const ledger = await openLedger()
    const steps = [
      defineStep({ name: 'a', execute: (context) => void context.requests.push(1) }),
      defineStep({ name: 'b', execute: (context) => void context.results.push(value) }),
    ]
    const { end } = await runSteps(await stepRun({ ledger, steps, strict: true }))
    expect(end.error?.message).toContain(`Step "b" left ${found}, which JSON cannot carry.`)
    expect(end.error?.message).toContain('files.write()')
    expect((await ledger.take()).order.fields).toMatchObject({ requests: [], results: [] })
  })

  it.each(['data', 'rollbackData'])('fails a step whose %s JSON cannot carry', async (name) => {
    const steps = [defineStep({ name: 'a', execute: () => ({ [name]: { at: new Date(0) } }) })]
    const { end } = await runSteps(await stepRun({ steps, strict: true }))
    expect(end.error?.message).toContain(`Step "a" left a Date in ${name}.at`)
  })

  it('fails a step that leaves more than there is room for, and rolls it back by what it left', async () => {
    const ledger = await openLedger()
    const undone: unknown[] = []
    const steps = [
      defineStep({
        name: 'a',
        execute(context) {
          context.results.push('x'.repeat(storeLimits.maxJobRecordBytes))
          return { rollbackData: { row: 1 } }
        },
        rollback: (_, result) => void undone.push(result.rollbackData),
      }),
    ]
    const { end } = await runSteps(await stepRun({ ledger, steps }))
    expect(end.error?.message).toMatch(/^Step "a" failed: The record of the step "a"/)
    expect(undone).toEqual([{ row: 1 }])
    expect((await ledger.take()).order.steps.map(({ result }) => result.success)).toEqual([false])
  })
})
