import { describe, expect, it } from 'vitest'
import { defineStep, type Step } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { runSteps } from '../../../runtime/job/run/orchestrator.ts'
import { openLedger } from './step-ledger.ts'
import { kept, refuse, stepRun } from './step-run-maker.ts'

describe('runSteps', () => {
  it('runs the steps in their order, records each with the shared fields, and gives the usual result', async () => {
    const ledger = await openLedger()
    const { end, cause } = await runSteps(
      await stepRun({
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
    const { end } = await runSteps(await stepRun({ steps: [defineStep({ name: 'a', execute() {} })] }))
    expect(kept(end.result)).toEqual({ success: true, stepsExecuted: 1, stepsTotal: 1, processedCount: 0 })
  })

  it('rolls back where the conclusion fails, or its result cannot be kept', async () => {
    const undone: string[] = []
    const steps = [defineStep({ name: 'a', execute() {}, rollback: () => void undone.push('a') })]
    const failed = await runSteps(await stepRun({ steps, conclude: refuse }))
    expect(failed.end).toMatchObject({ state: 'failed', error: { code: 'JOB_ENDED', step: null } })
    const refused = await runSteps({ ...(await stepRun({ steps })), keepResult: async () => refuse() })
    expect(refused.end).toMatchObject({ state: 'failed', error: { message: 'The file is empty.' } })
    expect(undone).toEqual(['a', 'a'])
  })

  it('gives the conclusion the fields and the results of the steps', async () => {
    const { end } = await runSteps(
      await stepRun({
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
    const ledger = await openLedger()
    const execute = (): never => {
      throw lost
    }
    const steps = [
      defineStep({ name: 'a', execute() {}, rollback: () => void undone.push('a') }),
      defineStep({ name: 'b', execute }),
    ]
    await expect(runSteps(await stepRun({ ledger, steps }))).rejects.toBe(lost)
    const host = { ...(await (await openLedger()).take()).host, recordStep: execute }
    await expect(runSteps({ ...(await stepRun({ steps })), host })).rejects.toBe(lost)
    await expect(runSteps(await stepRun({ steps: steps.slice(0, 1), conclude: execute }))).rejects.toBe(lost)
    expect(undone).toEqual([])
    expect(ledger.writes).toEqual(['record a'])
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
    const { end } = await runSteps(await stepRun({ steps, signal: ending.signal }))
    expect(end).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED', step: 'b' } })
    expect(undone).toEqual([['b', false], 'a'])
  })

  it('begins no further step, and rolls back none that it did not begin', async () => {
    const ending = new AbortController()
    const ledger = await openLedger()
    const undone: string[] = []
    const rollback: Step['rollback'] = ({ step }) => void undone.push(step.name)
    const steps = [
      defineStep({ name: 'a', execute: () => ending.abort(), rollback }),
      defineStep({ name: 'b', execute: () => expect.unreachable(), rollback }),
    ]
    const { end } = await runSteps(await stepRun({ ledger, steps, signal: ending.signal }))
    expect(end.state).toBe('cancelled')
    expect(undone).toEqual(['a'])
    expect((await ledger.take()).order).toMatchObject({ runningStep: null, steps: [{ name: 'a' }] })
  })

  it('fails where the time is over', async () => {
    const signal = AbortSignal.abort(new IsoplexError('DEADLINE_EXCEEDED', 'The time of the job is over.'))
    const { end } = await runSteps(
      await stepRun({ steps: [defineStep({ name: 'a', execute() {} })], signal }),
    )
    expect(end).toMatchObject({ state: 'failed', error: { code: 'DEADLINE_EXCEEDED', step: null } })
  })
})
