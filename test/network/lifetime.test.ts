import { describe, expect, it } from 'vitest'
import { Lifetime } from '../../runtime/network/lifetime.ts'
import { fetchErrorOf } from './refusals.ts'

const never = new Promise<never>(() => undefined)

describe('the life of a request', () => {
  it('ends with the caller’s reason', async () => {
    const caller = new AbortController()
    const life = new Lifetime(caller.signal)
    const waiting = life.wait(never)
    const reason = new Error('mine')
    caller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(life.wait(Promise.resolve(1))).rejects.toBe(reason)
    expect(life.signal.reason).toBe(reason)
  })

  it('is over from the start where the caller has left before', async () => {
    const life = new Lifetime(AbortSignal.abort('gone'))
    await expect(life.wait(never)).rejects.toBe('gone')
  })

  it('ends when its time is up, and not when what was waited for has come', async () => {
    const short = new Lifetime(undefined)
    const long = new Lifetime(undefined)
    long.within(1, 'too late')
    long.inTime()
    long.within(60_000, 'far away')
    short.within(5, 'It took too long.')
    expect(await fetchErrorOf(() => short.wait(never))).toEqual({
      what: 'FETCH_FAILED: timeout',
      message: 'It took too long.',
    })
    expect(long.signal.aborted).toBe(false)
    long.end()
  })

  it('gives what was waited for, or why that failed', async () => {
    const life = new Lifetime(undefined)
    expect(await life.wait(Promise.resolve('here'))).toBe('here')
    await expect(life.wait(Promise.reject(new Error('no')))).rejects.toThrow('no')
    life.end()
  })

  it('lets the caller’s signal go at its end', () => {
    const caller = new AbortController()
    const life = new Lifetime(caller.signal)
    life.end()
    life.end()
    const { reason } = life.signal
    caller.abort(new Error('late'))
    expect(life.signal.reason).toBe(reason)
  })
})
