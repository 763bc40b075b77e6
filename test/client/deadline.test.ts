import { describe, expect, it } from 'vitest'
import { startDeadline } from '../../runtime/client/deadline.ts'
import { isIsoplexError } from '../../runtime/error/error.ts'

function codeOf(signal: AbortSignal): string | null {
  return isIsoplexError(signal.reason) ? signal.reason.code : null
}

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', resolve))

describe('a deadline', () => {
  it('fires with what the caller says', async () => {
    const caller = new AbortController()
    const { signal } = startDeadline(caller.signal, undefined)
    const reason = new Error('no longer wanted')
    caller.abort(reason)
    expect([codeOf(signal), signal.reason.cause]).toEqual(['CANCELLED', reason])
    expect(codeOf(startDeadline(caller.signal, undefined).signal)).toBe('CANCELLED')
  })

  it('fires when its time is over', async () => {
    const deadline = startDeadline(undefined, 5)
    await aborted(deadline.signal)
    expect(codeOf(deadline.signal)).toBe('DEADLINE_EXCEEDED')
    expect(deadline.leftMs()).toBeLessThanOrEqual(1)
  })

  it('goes on for as long as it takes once it is lifted, and still hears its caller', async () => {
    const caller = new AbortController()
    const lifted = startDeadline(caller.signal, 5)
    lifted.lift()
    await aborted(startDeadline(undefined, 20).signal)
    expect(lifted.signal.aborted).toBe(false)
    caller.abort()
    expect(codeOf(lifted.signal)).toBe('CANCELLED')
  })

  it('hears nobody after its end', async () => {
    const caller = new AbortController()
    const ended = startDeadline(caller.signal, 5)
    ended.end()
    await aborted(startDeadline(undefined, 20).signal)
    caller.abort()
    expect(ended.signal.aborted).toBe(false)
  })

  it('leaves all the time there is where there is no limit', () => {
    expect(startDeadline(undefined, undefined).leftMs()).toBe(Number.POSITIVE_INFINITY)
  })
})
