import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { startLone, turns } from '../replica/lone-runner.ts'

const info = { id: 'loud', version: '1', path: '/models/loud' }
const model = multiplexed(() => ({ shout: (text: string) => text.toUpperCase() }))
const batch = { maxSize: 8, maxDelayMs: 0 }

describe('a batch', () => {
  const shoutAll = (calls: unknown[][]) =>
    defineInference({
      input: Type.String(),
      model,
      batch,
      infer(inputs, { model }) {
        calls.push([...inputs])
        return inputs.map((input) =>
          input === 'bad' ? new IsoplexError('REQUEST_MALFORMED', 'Bad.') : model.shout(input),
        )
      },
    })

  it('is answered by one call, each request with its own', async () => {
    const calls: unknown[][] = []
    const lone = await startLone(shoutAll(calls), { model: info })
    lone.batch({ 1: 'a', 2: 'b', 3: 'c' })
    expect(await Promise.all([1, 2, 3].map((id) => lone.value(id)))).toEqual(['A', 'B', 'C'])
    expect(calls).toEqual([['a', 'b', 'c']])
  })

  it('leaves a request with a bad body out: it fails alone, and at once', async () => {
    const calls: unknown[][] = []
    const lone = await startLone(shoutAll(calls), { model: info })
    lone.batch({ 1: 'a', 2: 5, 3: undefined, 4: 'd' })
    expect(await lone.value(1)).toBe('A')
    expect(await lone.value(4)).toBe('D')
    expect((await lone.ended(2)).error).toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '', message: 'Expected string' }] },
    })
    expect((await lone.ended(3)).error).toMatchObject({ code: 'INPUT_INVALID' })
    expect(calls).toEqual([['a', 'd']])
    // The caller was told; it is no news to the developer.
    expect(lone.lines).toEqual([])
  })

  it('fails the one request whose result is an error', async () => {
    const lone = await startLone(shoutAll([]), { model: info })
    lone.batch({ 1: 'a', 2: 'bad' })
    expect(await lone.value(1)).toBe('A')
    expect((await lone.ended(2)).error).toEqual({ code: 'REQUEST_MALFORMED', message: 'Bad.' })
  })

  it('fails the one request whose result the output schema refuses', async () => {
    const lone = await startLone(
      defineInference({
        input: Type.String(),
        output: Type.String({ maxLength: 1 }),
        model,
        batch,
        infer: (inputs) => inputs.map((input) => input),
      }),
      { model: info },
    )
    lone.batch({ 1: 'a', 2: 'too long' })
    expect(await lone.value(1)).toBe('a')
    expect((await lone.ended(2)).error).toMatchObject({ code: 'OUTPUT_INVALID' })
    expect(lone.lines).toMatchObject([
      { level: 'error', fields: { function: 'lone', requestId: 'request-2' } },
    ])
  })

  it('fails as a whole where the call throws, and the next is answered', async () => {
    let calls = 0
    const lone = await startLone(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer(inputs) {
          calls += 1
          if (calls === 1) throw new Error('password is hunter2')
          return [...inputs]
        },
      }),
      { model: info },
    )
    lone.batch({ 1: 'a', 2: 'b' })
    lone.batch({ 3: 'c' })
    for (const id of [1, 2]) {
      const { error } = await lone.ended(id)
      expect(error?.code).toBe('INTERNAL')
      expect(JSON.stringify(error)).not.toContain('hunter2')
    }
    expect(await lone.value(3)).toBe('c')
    expect(lone.lines.map(({ fields }) => [fields.requestId, (fields.error as Error).message])).toEqual([
      ['request-1', 'password is hunter2'],
      ['request-2', 'password is hunter2'],
    ])
  })

  it('of bad requests only is refused without a call', async () => {
    const calls: unknown[][] = []
    const lone = await startLone(shoutAll(calls), { model: info })
    lone.batch({ 1: 5, 2: 6 })
    await Promise.all([lone.ended(1), lone.ended(2)])
    expect(calls).toEqual([])
    lone.batch({ 3: 'c' })
    expect(await lone.value(3)).toBe('C')
  })

  it('does not fail for a body beside it that is nested too deeply', async () => {
    const lone = await startLone(shoutAll([]), { model: info })
    lone.batch({ 1: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)), 2: 'b' })
    expect((await lone.ended(1)).error?.code).toBe('INPUT_INVALID')
    expect(await lone.value(2)).toBe('B')
  })
})

describe('a cancelled request', () => {
  it('does not stop its batch before all of the batch are gone', async () => {
    const seen: { signal?: AbortSignal; own?: readonly AbortSignal[] } = {}
    const done = Promise.withResolvers<readonly string[]>()
    const lone = await startLone(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer(_, { signal, requests }) {
          seen.signal = signal
          seen.own = requests.map((request) => request.signal)
          return done.promise
        },
      }),
      { model: info },
    )
    // One is refused before the others are inferred: nobody waits for it.
    lone.batch({ 1: 'a', 2: 5, 3: 'c' })
    await turns()
    lone.cancel(1)
    expect(seen.own?.map((signal) => signal.aborted)).toEqual([true, false])
    expect(seen.signal?.aborted).toBe(false)
    lone.cancel(3)
    expect(seen.signal?.aborted).toBe(true)
    done.resolve(['A', 'C'])
    await Promise.all([lone.ended(1), lone.ended(3)])
  })

  it('of a batch that goes on does not fire its signal when it ends', async () => {
    const seen: AbortSignal[] = []
    const lone = await startLone(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer(inputs, { signal }) {
          seen.push(signal)
          return [...inputs]
        },
      }),
      { model: info },
    )
    lone.batch({ 1: 'a', 2: 'b' })
    await Promise.all([lone.value(1), lone.value(2)])
    lone.cancel(1)
    expect(seen[0]?.aborted).toBe(false)
  })
})
