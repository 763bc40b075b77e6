import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { input } from '../../runtime/define/graph.ts'
import { each } from '../../runtime/define/graph-edge.ts'
import { bind, derive } from '../../runtime/define/graph-node.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { gated, runAnswer as run } from './graph-call.ts'

describe('a failure of a node', () => {
  const busy = () => new IsoplexError('REPLICA_CRASHED', 'Busy.')
  const failing = (times: number, error: () => Error = busy) => {
    let tries = 0
    return defineFunction({
      input: Type.Unknown(),
      handler: () => {
        tries += 1
        if (tries <= times) throw error()
        return tries
      },
    })
  }

  it('names its node, cancels the others, and waits for them to end', async () => {
    const slow = gated()
    const after = derive(bind(slow.fn, 1), () => 'never')
    const failure = derive(
      0,
      async () => {
        await slow.asked
        throw new IsoplexError('INPUT_INVALID', 'No.', {
          details: { issues: [{ path: '/a', message: 'is wrong' }] },
        })
      },
      { name: 'check' },
    )
    const error = await run([after, failure]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'INPUT_INVALID',
      message: 'Node "check": No.',
      details: { issues: [{ path: '/nodes/check/a', message: 'is wrong' }] },
    })
    expect(slow.signal()?.aborted).toBe(true)
  })

  it('is hidden where it is none of ours, but for the name of its node', async () => {
    const answer = derive(0, () => Promise.reject(new TypeError('secret')), { name: 'mine' })
    const error: unknown = await run(answer).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: 'Node "mine" failed.', cause: new TypeError('secret') })
  })

  it('is tried again where it may pass, so often as the node says', async () => {
    expect(await run(bind(failing(2), 0, { retries: 2 }))).toBe(3)
    await expect(run(bind(failing(2), 0, { retries: 1 }))).rejects.toMatchObject({ code: 'REPLICA_CRASHED' })
    const broken = failing(1, () => new IsoplexError('FUNCTION_BROKEN', 'Broken.'))
    await expect(run(bind(broken, 0, { retries: 5 }))).rejects.toMatchObject({ code: 'FUNCTION_BROKEN' })
  })

  it('that a fallback hides stands in the log, with its node', async () => {
    const told: unknown[] = []
    const node = bind(failing(1), 0, { name: 'check', fallback: 'spare' })
    const logged = (_: string, fields: unknown): unknown => told.push(fields)
    expect(await run(node, { logged })).toBe('spare')
    expect(told).toMatchObject([{ node: 'check', error: { message: 'Node "check": Busy.' } }])
  })

  it('is answered by the fallback, which may be made of edges', async () => {
    const edge = input(Type.Object({ spare: Type.String() }))
    const answer = bind(failing(9), 0, { fallback: { text: edge.spare } })
    expect(await run(answer, { input: { spare: 'spare' } }, edge)).toEqual({ text: 'spare' })
    expect(await run(bind(failing(9), 0, { fallback: undefined }))).toBeUndefined()
  })

  it('of one item is answered for that item alone', async () => {
    const odd = defineFunction({
      input: Type.Number(),
      handler: ({ input: value }) => {
        if (value % 2 === 0) throw new Error('even')
        return value
      },
    })
    const list = input(Type.Array(Type.Number()))
    const input5 = { input: [1, 2, 3, 4, 5] }
    expect(await run(bind(odd, each(list), { fallback: null }), input5, list)).toEqual([1, null, 3, null, 5])
    const error: unknown = await run(bind(odd, each(list), { name: 'odd' }), input5, list).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ message: 'Node "odd", item 1 failed.' })
  })

  it('comes where the next try would be beyond the deadline of the node', async () => {
    const timeouts: (number | undefined)[] = []
    const answer = bind(failing(9), 0, { retries: 9, timeoutMs: 400 })
    await expect(
      run(answer, { called: (options) => timeouts.push(options?.timeoutMs) }),
    ).rejects.toMatchObject({
      code: 'REPLICA_CRASHED',
    })
    expect(timeouts.length).toBeGreaterThan(0)
    expect(timeouts.length).toBeLessThan(9)
    for (const timeoutMs of timeouts) expect(timeoutMs).toBeLessThanOrEqual(400)
  })

  it('is the reason of the signal where the caller goes', async () => {
    const caller = new AbortController()
    const slow = gated()
    const running = run(bind(slow.fn, 0, { fallback: 'spare', retries: 3 }), { signal: caller.signal })
    await slow.asked
    const reason = new DOMException('gone', 'AbortError')
    caller.abort(reason)
    await expect(running).rejects.toBe(reason)
  })
})
